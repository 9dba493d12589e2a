/**
 * Finding a signal and bringing a value into its canonical unit. On the hot path: Map reads only, and one small object per value.
 */
import { isAbsent, isCensored, type SignalCode, type Value } from '../reading.ts'
import { deviceSignals } from './device-signals.ts'
import { environmentSignals } from './environment-signals.ts'
import type { Signal } from './signal.ts'
import { type Conversion, conversionsTo } from './unit.ts'
import { vitalSignals } from './vital-signals.ts'

/** Every signal of the vocabulary, vitals first. Numbered twins (`temperature-ambient-2`) are made when asked for. */
export const allSignals: readonly Signal[] = [...vitalSignals, ...environmentSignals, ...deviceSignals]

interface Entry {
  readonly signal: Signal
  readonly conversions: ReadonlyMap<string, Conversion>
}

const shared = new Map<string, ReadonlyMap<string, Conversion>>()
const byCode = new Map<string, Entry>(
  allSignals.map((signal) => [signal.code, { signal, conversions: conversions(signal) }]),
)

const plainCodes: ReadonlySet<string> = new Set(byCode.keys())

const TWIN = /^(.*)-([2-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])$/

/** The signal of a code, undefined when there is none. */
export function signal(code: SignalCode): Signal | undefined {
  return entryOf(code)?.signal
}

/** The code of the nth sensor of a kind in one device: 1 is the plain one. Two sensors must never share one series. */
export const nthSignal = (code: SignalCode, nth: number): SignalCode => (nth <= 1 ? code : `${code}-${nth}`)

/** A value in its signal's canonical unit, and what the device said when that was another unit. */
export interface CanonicalValue {
  readonly value: Value
  readonly original?: { readonly value: number; readonly unit: string }
}

/**
 * Brings a value into the signal's canonical unit. Absent values pass; of a censored one the limit is converted.
 * @param unit UCUM code or a common spelling (`mmHg`, `bpm`, `°F`, `lb`)
 * @returns undefined when the signal is unknown or the unit is not one of its quantity: quarantine it as `unit-mismatch`
 */
export function toCanonical(code: SignalCode, value: Value, unit: string): CanonicalValue | undefined {
  const how = entryOf(code)?.conversions.get(unit)
  if (how === undefined) return undefined
  const { convert } = how
  if (convert === null || isAbsent(value)) return { value }
  if (isCensored(value)) {
    const limit = convert(value.limit)
    return { value: { comparator: value.comparator, limit }, original: { value: value.limit, unit: how.from } }
  }
  return { value: convert(value), original: { value, unit: how.from } }
}

/** The units a signal may come in, as UCUM codes and spellings; empty when the signal is unknown. */
export const acceptedUnits = (code: SignalCode): readonly string[] => [...(entryOf(code)?.conversions.keys() ?? [])]

/** Whether a canonical value lies in the signal's plausible range. An absent value is never implausible, and NaN always is. */
export function isPlausible(code: SignalCode, value: Value): boolean {
  const range = entryOf(code)?.signal.plausible
  if (range === undefined) return false
  if (typeof value === 'number') return value >= range[0] && value <= range[1]
  return isAbsent(value) || (value.limit >= range[0] && value.limit <= range[1])
}

function entryOf(code: SignalCode): Entry | undefined {
  return byCode.get(code) ?? twin(code)
}

function twin(code: string): Entry | undefined {
  const parts = TWIN.exec(code)
  // A twin of a twin is no signal, and at most 254 twins a signal bound what strangers can make us remember.
  if (parts === null || !plainCodes.has(parts[1]!)) return undefined
  const base = byCode.get(parts[1]!)!
  const entry = {
    signal: { ...base.signal, code, label: `${base.signal.label} ${parts[2]}` },
    conversions: base.conversions,
  }
  byCode.set(code, entry)
  return entry
}

function conversions(signal: Signal): ReadonlyMap<string, Conversion> {
  const key = `${signal.dimension} ${signal.unit}`
  const known = shared.get(key)
  if (known !== undefined) return known
  const made = conversionsTo(signal.unit, signal.dimension)
  shared.set(key, made)
  return made
}
