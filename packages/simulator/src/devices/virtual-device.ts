/**
 * A device that is not there: what it would say at each moment, without a clock and without a network. Speakers say it.
 */
import type { EpochMs } from '@careloop/contract'
import { hash, seedOf } from '../signals/noise.ts'

/** A number in the unit that the device's profile gives the key, a number with its own unit (UCUM), or null: could not measure. */
export type Said = number | null | { readonly value: number; readonly unit: string }

export type Utterance =
  | { readonly what: 'measurement'; readonly at: EpochMs; readonly values: Readonly<Record<string, Said>> }
  /** Bytes for the device's profile, or rubbish. */
  | { readonly what: 'frame'; readonly at: EpochMs; readonly bytes: Uint8Array }
  /** What the device tells of itself. */
  | { readonly what: 'attributes'; readonly values: Readonly<Record<string, string | number | boolean>> }

export interface VirtualDevice {
  readonly name: string
  /** Code of a device profile (`packages/profiles`). */
  readonly profile: string
  readonly classification: 'wellness' | 'operational' | 'medical'
  /** ms between two tellings. */
  readonly everyMs: number
  /** What it says at a moment; the same for the same moment. */
  say(at: EpochMs): readonly Utterance[]
}

/** The moments of a device within [from, to): devices of one interval do not all speak at once. */
export function* momentsOf(device: VirtualDevice, from: EpochMs, to: EpochMs): Generator<EpochMs> {
  for (let at = nextMoment(device, from); at < to; at += device.everyMs) yield at
}

/** The first moment of a device at or after `from`. */
export function nextMoment({ name, everyMs }: VirtualDevice, from: EpochMs): EpochMs {
  const phase = hash(seedOf(name), everyMs) % everyMs
  return Math.ceil((from - phase) / everyMs) * everyMs + phase
}

/** All that a device says within [from, to). */
export function tellings(device: VirtualDevice, from: EpochMs, to: EpochMs): Utterance[] {
  const all: Utterance[] = []
  for (const at of momentsOf(device, from, to)) all.push(...device.say(at))
  return all
}
