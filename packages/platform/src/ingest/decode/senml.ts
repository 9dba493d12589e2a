/**
 * SenML JSON (RFC 8428): base name, time, unit, value and sum resolved as section 4 says. Names are looked up after base name
 * and name are joined; a leading path or URN (`urn:dev:mac:...:`, `device/`) is the device's, not the signal's.
 */
import type { Value } from '@careloop/contract'
import { type Fault, isTime, type Names, type Parsed, type ParsedReading, Unreadable } from './names.ts'

/** Times below 2^28 s are relative to now (RFC 8428 section 4.5.3). */
const RELATIVE_BELOW = 2 ** 28

interface Base {
  name: string
  time: number
  unit: string | undefined
  value: number
}

/**
 * @param receivedAt ms; what relative times are relative to
 * @throws Unreadable with a pointer
 */
export function parseSenml(bytes: Uint8Array, names: Names, receivedAt: number): Parsed {
  const records = toRecords(bytes)
  const base: Base = { name: '', time: 0, unit: undefined, value: 0 }
  const readings: ParsedReading[] = []
  const faults: Fault[] = []
  const ordinals = new Map<string, number>()
  const groups = new Map<number, number>()
  records.forEach((record, i) => {
    takeBase(record, base, i)
    const value = readValue(record, base, i)
    if (value === undefined) return
    const pointer = `/${i}`
    const named = names.find(signalName(base.name + text(record.n, `/${i}/n`)))
    if (!named) {
      faults.push({
        reason: 'unknown-signal',
        pointer: `${pointer}/n`,
        message: `The device's profile knows no signal of this name.`,
      })
      return
    }
    const seconds = base.time + number(record.t, `/${i}/t`)
    const ms = Math.round(seconds * 1000)
    // Relative to now is another moment each time the pack is sent again: it says when, but recognises nothing.
    const time = seconds < RELATIVE_BELOW ? { relativeMs: ms } : { time: { epochMs: ms } }
    const at = seconds < RELATIVE_BELOW ? receivedAt + ms : ms
    if (!isTime(at))
      throw new Unreadable(
        `${pointer}/t`,
        'The time lies outside 2000 to 2200. SenML counts seconds, not milliseconds.',
      )
    const key = `${named.signal}@${at}`
    const ordinal = ordinals.get(key) ?? 0
    ordinals.set(key, ordinal + 1)
    if (!groups.has(at)) groups.set(at, groups.size)
    const unit = unitOf(record, base, named.unit, i)
    readings.push({
      signal: named.signal,
      value,
      unit,
      ...(ms === 0 ? {} : time),
      ordinal,
      group: groups.get(at)!,
      pointer,
    })
  })
  if (readings.length === 0 && faults.length === 0) throw new Unreadable('', 'The pack holds no values.')
  return { readings, faults }
}

function takeBase(record: Record<string, unknown>, base: Base, i: number): void {
  if (record.bn !== undefined) base.name = text(record.bn, `/${i}/bn`)
  if (record.bt !== undefined) base.time = number(record.bt, `/${i}/bt`)
  if (record.bu !== undefined) base.unit = text(record.bu, `/${i}/bu`)
  if (record.bv !== undefined) base.value = number(record.bv, `/${i}/bv`)
  if (record.bver !== undefined && number(record.bver, `/${i}/bver`) > 10)
    throw new Unreadable(`/${i}/bver`, 'SenML versions above 10 are not known.')
  // A label that ends in _ changes the meaning of the record: what is not known must not be ignored (section 4.4).
  for (const key in record)
    if (key.endsWith('_'))
      throw new Unreadable(`/${i}/${key.slice(0, 64)}`, 'This label must be understood, and is not.')
}

function readValue(record: Record<string, unknown>, base: Base, i: number): Value | undefined {
  if (record.v !== undefined) return number(number(record.v, `/${i}/v`) + base.value, `/${i}/v`)
  if (typeof record.vb === 'boolean') return record.vb ? 1 : 0
  if (record.vs !== undefined || record.vd !== undefined)
    throw new Unreadable(
      `/${i}/${record.vs !== undefined ? 'vs' : 'vd'}`,
      'Text and data values are no readings. Send them as attributes.',
    )
  if (record.s !== undefined) throw new Unreadable(`/${i}/s`, 'Sums are not supported. Send the value itself.')
  if (record.n !== undefined && record.bv !== undefined) return base.value
  if (record.n !== undefined) throw new Unreadable(`/${i}`, 'A record with a name has a value: v or vb.')
  return undefined
}

/** SenML's own unit names (RFC 8428 section 12.1, RFC 8798) where they differ from UCUM. */
const SENML_UNITS: Readonly<Record<string, string>> = {
  '/': '1',
  '%RH': '%',
  'beat/min': '/min',
  beats: '1',
  '%EL': '%',
  count: '1',
  lx: 'lx',
  degC: 'Cel',
  'W/m2': 'W/m2',
}

function unitOf(record: Record<string, unknown>, base: Base, otherwise: string, i: number): string {
  const unit = record.u === undefined ? base.unit : text(record.u, `/${i}/u`)
  return unit === undefined ? otherwise : (SENML_UNITS[unit] ?? unit)
}

/** What follows the last `:` or `/` of the joined name. */
function signalName(name: string): string {
  return name.slice(Math.max(name.lastIndexOf(':'), name.lastIndexOf('/')) + 1)
}

function toRecords(bytes: Uint8Array): Record<string, unknown>[] {
  let pack: unknown
  try {
    pack = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())
  } catch {
    throw new Unreadable('', 'The payload is not JSON.')
  }
  if (!Array.isArray(pack)) throw new Unreadable('', 'A SenML pack is an array of records.')
  if (pack.length > 10_000) throw new Unreadable('', 'More than 10,000 records in one pack. Send several packs.')
  pack.forEach((record, i) => {
    if (typeof record !== 'object' || record === null || Array.isArray(record))
      throw new Unreadable(`/${i}`, 'A record is an object.')
  })
  return pack as Record<string, unknown>[]
}

function number(raw: unknown, pointer: string): number {
  if (raw === undefined) return 0
  if (typeof raw === 'number' && Number.isFinite(raw)) return raw
  throw new Unreadable(pointer, 'A number is expected here.')
}

function text(raw: unknown, pointer: string): string {
  if (raw === undefined) return ''
  if (typeof raw === 'string') return raw
  throw new Unreadable(pointer, 'Text is expected here.')
}
