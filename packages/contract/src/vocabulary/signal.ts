/**
 * What a signal is: one measured quantity, as data. A device's profile names signals; rules, charts and FHIR read the same row.
 */
import type { Dimension } from './unit.ts'

/** `vital` is of a person, `environment` of a place or thing, `device` of the device itself (battery, radio). */
export type SignalKind = 'vital' | 'environment' | 'device'

export interface Signal {
  /** Kebab-case, e.g. `heart-rate`. A second sensor of a kind in one device is `temperature-ambient-2`. */
  readonly code: string
  readonly label: string
  readonly kind: SignalKind
  /** UCUM code in which every stored value stands. */
  readonly unit: string
  readonly dimension: Dimension
  /** LOINC code, where one says exactly this. */
  readonly loinc?: string
  /** ISO/IEEE 11073-10101 code and reference id. */
  readonly mdc?: { readonly code: number; readonly refId: string }
  /** Outside of this a value is kept, flagged `implausible`, and used by no rule. In the canonical unit, both ends included. */
  readonly plausible: readonly [min: number, max: number]
  /** How often a value is expected by default, in ms; a device's settings may say otherwise. null = when it happens. */
  readonly intervalMs: number | null
  /** Digits after the point that are worth showing. */
  readonly decimals: number
  /** What the numbers mean, for states and events: 0 = closed, 1 = open. */
  readonly meanings?: Readonly<Record<number, string>>
}

export type Meanings = Readonly<Record<number, string>>

/** One line of the tables. */
export interface SignalRow {
  readonly code: string
  readonly label: string
  readonly unit: string
  readonly dimension: Dimension
  readonly plausible: readonly [min: number, max: number]
  readonly every?: number
  readonly decimals?: number
  readonly loinc?: string
  readonly mdc?: readonly [code: number, refId: string]
  readonly meanings?: Meanings
}

export function signalsOf(kind: SignalKind, rows: readonly SignalRow[]): readonly Signal[] {
  return rows.map(({ every, decimals, loinc, mdc, meanings, ...row }) => ({
    ...row,
    kind,
    intervalMs: every ?? null,
    decimals: decimals ?? 0,
    ...(loinc === undefined ? {} : { loinc }),
    ...(mdc === undefined ? {} : { mdc: { code: mdc[0], refId: mdc[1] } }),
    ...(meanings === undefined ? {} : { meanings }),
  }))
}

/** A signal that is 0 or 1. */
export const state = (code: string, label: string, off: string, on: string): SignalRow => ({
  code,
  label,
  unit: '1',
  dimension: 'unity',
  plausible: [0, 1],
  meanings: { 0: off, 1: on },
})

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
