/** What a window of a stream comes to: mean, least, greatest and count, or the samples themselves. Pure. */
import { type Signal, signal, withoutNoise } from '@careloop/contract'
import type { KeptReading } from '../../telemetry/index.ts'
import type { Derived } from '../clinical.ts'
import { categoryOf, conceptOf, profilesOf } from './concepts.ts'
import { identifiersOf, idOf } from './derived-id.ts'
import { dateTimeIn } from './local-time.ts'
import { policyOf, type SignalPolicy } from './policy.ts'
import { interpretationConcept, interpretationOf, rangeElement, usualRange } from './reference-range.ts'
import { sampledData } from './sampled-data.ts'
import { withoutEmpty } from './spot-observation.ts'
import { systems } from './systems.ts'
import { type Whose, zoneOf } from './told.ts'
import { quantityOf } from './values.ts'

/** What is summarised: all readings of one signal of one device, of one subject, in one window. */
export interface WindowName {
  readonly tenant: string
  readonly subject: string
  readonly device: string
  readonly signal: string
  /** ms; where a window of the device begins. */
  readonly from: number
}

/** What a summary needs of the readings. */
export interface Totals {
  /** Readings, with those that have no number. */
  readonly total: number
  /** Those with a number that are plausible: sum, least and greatest are of these. */
  readonly n: number
  /** In millionths of the canonical unit, a whole number, so that no order of adding changes it. */
  readonly sum: number
  readonly min: number
  readonly max: number
}

export const emptyTotals: Totals = {
  total: 0,
  n: 0,
  sum: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
}

const MILLION = 1_000_000

export function plus(totals: Totals, { value, flags }: Pick<KeptReading, 'value' | 'flags'>): Totals {
  const total = totals.total + 1
  // A reading that no rule uses is in no mean.
  if (typeof value !== 'number' || flags?.includes('implausible')) return { ...totals, total }
  return {
    ...{ total, n: totals.n + 1, sum: totals.sum + Math.round(value * MILLION) },
    ...{ min: Math.min(totals.min, value), max: Math.max(totals.max, value) },
  }
}

export const totalsOf = (readings: readonly KeptReading[]): Totals => readings.reduce(plus, emptyTotals)

export const windowIdOf = ({ tenant, subject, device, signal: code, from }: WindowName, policy: SignalPolicy): string =>
  idOf('window', tenant, subject, device, code, from, policy.windowMs)

/** @param at meta.lastUpdated, ms: when the window was due */
export function summaryObservation(whose: Whose, name: WindowName, totals: Totals, at: number): Derived | undefined {
  const made = begun(whose, name)
  if (made === undefined) return undefined
  const { row, head, tail } = made
  const quantity = quantityOf(row)
  const mean = totals.n === 0 ? null : rounded(totals.sum / totals.n / MILLION, row.decimals + 2)
  const resource = {
    ...head,
    ...(mean === null
      ? { dataAbsentReason: { coding: [{ system: systems.absent, code: 'error', display: 'Error' }] } }
      : { valueQuantity: quantity(mean) }),
    ...judgedMean(whose, name, mean),
    method: { coding: [statistic('average', 'Average')], text: `Mean of ${totals.total} readings` },
    ...tail,
    component: [
      ...(mean === null
        ? []
        : [
            component('average', 'Average', { valueQuantity: quantity(mean) }),
            component('minimum', 'Minimum', { valueQuantity: quantity(totals.min) }),
            component('maximum', 'Maximum', { valueQuantity: quantity(totals.max) }),
          ]),
      component('count', 'Count', {
        valueQuantity: { value: totals.total, unit: '1', system: systems.ucum, code: '1' },
      }),
    ],
  }
  return { resource: withoutEmpty(resource), subject: whose.subject, signals: [row.code], at }
}

/** @param readings sorted, at least one */
export function samplesObservation(
  whose: Whose,
  name: WindowName,
  readings: readonly KeptReading[],
  at: number,
): Derived | undefined {
  const made = begun(whose, name, [readings[0]!.measuredAt, readings.at(-1)!.measuredAt])
  if (made === undefined) return undefined
  const { row, head, tail } = made
  const resource = { ...head, valueSampledData: sampledData(row, readings), ...tail }
  return { resource: withoutEmpty(resource), subject: whose.subject, signals: [row.code], at }
}

function begun(whose: Whose, name: WindowName, span?: readonly [number, number]) {
  const row = signal(name.signal)
  const policy = policyOf(name.signal)
  if (row === undefined || policy === null) return undefined
  const zone = zoneOf(whose, name.from)
  const [start, end] = span ?? [name.from, name.from + policy.windowMs]
  const isPatient = whose.kind === 'patient'
  const profiles = isPatient && policy.form === 'summary' ? profilesOf(row.loinc) : []
  const id = windowIdOf(name, policy)
  const head = {
    resourceType: 'Observation',
    id,
    ...(profiles.length === 0 ? {} : { meta: { profile: profiles } }),
    identifier: identifiersOf(id),
    status: 'final',
    category: categoryOf(row.code, isPatient),
    code: conceptOf(row),
    subject: { reference: whose.reference },
    effectivePeriod: { start: dateTimeIn(zone, start), end: dateTimeIn(zone, end) },
  }
  return { row, head, tail: { device: { reference: `Device/${name.device}` } } }
}

function judgedMean(whose: Whose, name: WindowName, mean: number | null): object {
  const range = usualRange(name.signal, whose.birthDate, name.from)
  if (mean === null || range === null) return {}
  const code = interpretationOf(mean, range)
  return {
    ...(code === null ? {} : { interpretation: [interpretationConcept(code)] }),
    referenceRange: [rangeElement(range, quantityOf(signal(name.signal) as Signal))],
  }
}

const statistic = (code: string, display: string): object => ({ system: systems.statistics, code, display })
const component = (code: string, display: string, value: object): object => ({
  code: { coding: [statistic(code, display)], text: display },
  ...value,
})

const rounded = (value: number, decimals: number): number => withoutNoise(Number(value.toFixed(decimals)))
