/**
 * JSON payloads: `{ts?, seq?, now?, values}`, ThingsBoard's shapes (a flat object of values, `{ts, values}`, or an array of
 * either). `ts` and `now` are ms since 1970 by the device's clock; a value is a number, a boolean, null (the device could not
 * measure), or `{value, unit}` with a UCUM unit. No schema library: this runs for every message.
 */
import type { DeviceTime, Value } from '@careloop/contract'
import { type Fault, isTime, type Names, type Parsed, type ParsedReading, Unreadable } from './names.ts'

/** @throws Unreadable with a pointer to the field at fault */
export function parseJson(bytes: Uint8Array, names: Names): Parsed {
  const body = toObject(bytes)
  const out: Draft = { readings: [], faults: [], ordinals: undefined }
  if (Array.isArray(body)) return parseArray(body, names, out)
  const record = asRecord(body, '')
  const sequence = sequenceOf(record)
  const deviceNow = timeOf(record, 'now', '')
  parseRecord(record, names, '', 0, out)
  return finish(out, sequence, deviceNow)
}

interface Draft {
  readonly readings: ParsedReading[]
  readonly faults: Fault[]
  /** How often a (signal, time) has been seen in this frame; made only for arrays, where it can repeat. */
  ordinals: Map<string, number> | undefined
}

function finish(out: Draft, sequence: number | undefined, deviceNow: number | undefined): Parsed {
  if (out.readings.length === 0 && out.faults.length === 0)
    throw new Unreadable('/values', 'The payload holds no values. Send {"values": {"<signal>": <number>}}.')
  return {
    readings: out.readings,
    faults: out.faults,
    ...(sequence === undefined ? {} : { sequence }),
    ...(deviceNow === undefined ? {} : { deviceNow }),
  }
}

function parseArray(items: unknown[], names: Names, out: Draft): Parsed {
  if (items.length === 0) throw new Unreadable('', 'The array is empty.')
  if (items.length > 10_000) throw new Unreadable('', 'More than 10,000 records in one message. Send several messages.')
  out.ordinals = new Map()
  for (let i = 0; i < items.length; i++) {
    const record = asRecord(items[i], `/${i}`)
    if (record.seq !== undefined && items.length > 1)
      throw new Unreadable(
        `/${i}/seq`,
        'In an array seq has no meaning: it numbers messages. Leave it out or send messages one by one.',
      )
    parseRecord(record, names, `/${i}`, i, out)
  }
  return finish(out, items.length === 1 ? sequenceOf(asRecord(items[0], '/0')) : undefined, undefined)
}

function parseRecord(record: Record<string, unknown>, names: Names, at: string, group: number, out: Draft): void {
  const ts = timeOf(record, 'ts', at)
  const time: DeviceTime | undefined = ts === undefined ? undefined : { epochMs: ts }
  const nested = record.values !== undefined
  const pointer = nested ? `${at}/values` : at
  parseValues(nested ? asRecord(record.values, pointer) : record, names, pointer, time, group, out)
}

/** In a flat object these are not values. */
const RESERVED = new Set(['ts', 'seq', 'now'])

function parseValues(
  values: Record<string, unknown>,
  names: Names,
  at: string,
  time: DeviceTime | undefined,
  group: number,
  out: Draft,
): void {
  const nested = at.endsWith('/values')
  for (const key in values) {
    if (!nested && RESERVED.has(key)) continue
    const pointer = `${at}/${escapePointer(key)}`
    const named = names.find(key)
    if (!named) {
      out.faults.push({
        reason: 'unknown-signal',
        pointer,
        message: `The device's profile knows no signal of this name. Name it in the profile, or send a known one.`,
      })
      continue
    }
    const taken = readValue(values[key], named.unit)
    if (!taken) {
      out.faults.push({
        reason: 'bad-frame',
        pointer,
        message: 'A value is a number, true, false, null or {"value": number, "unit": "<UCUM>"}.',
      })
      continue
    }
    out.readings.push({
      signal: named.signal,
      value: taken.value,
      unit: taken.unit,
      ...(time ? { time } : {}),
      ordinal: ordinalOf(out, named.signal, time),
      group,
      pointer,
    })
  }
}

function ordinalOf(out: Draft, signal: string, time: DeviceTime | undefined): number {
  if (!out.ordinals) return 0
  const key = `${signal}@${time && 'epochMs' in time ? time.epochMs : ''}`
  const ordinal = out.ordinals.get(key) ?? 0
  out.ordinals.set(key, ordinal + 1)
  return ordinal
}

function readValue(raw: unknown, unit: string): { value: Value; unit: string } | undefined {
  if (typeof raw === 'number') return Number.isFinite(raw) ? { value: raw === 0 ? 0 : raw, unit } : undefined
  if (typeof raw === 'boolean') return { value: raw ? 1 : 0, unit }
  if (raw === null) return { value: { absent: 'unsuccessful' }, unit }
  if (typeof raw !== 'object' || Array.isArray(raw)) return undefined
  const quantity = raw as { value?: unknown; unit?: unknown }
  if (typeof quantity.unit !== 'string' || (typeof quantity.value === 'object' && quantity.value !== null))
    return undefined
  return readValue(quantity.value, quantity.unit)
}

function timeOf(record: Record<string, unknown>, field: 'ts' | 'now', at: string): number | undefined {
  const raw = record[field]
  if (raw === undefined) return undefined
  if (typeof raw === 'number' && isTime(raw)) return Math.round(raw)
  throw new Unreadable(
    `${at}/${field}`,
    `${field} is a number of milliseconds since 1970-01-01T00:00:00Z, e.g. 1795305600000.`,
  )
}

function sequenceOf(record: Record<string, unknown>): number | undefined {
  const raw = record.seq
  if (raw === undefined) return undefined
  if (typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0) return raw
  throw new Unreadable('/seq', 'seq is a whole number from 0 that grows by one with each message.')
}

function toObject(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())
  } catch {
    throw new Unreadable('', 'The payload is not JSON.')
  }
}

function asRecord(value: unknown, pointer: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new Unreadable(pointer, 'An object is expected here.')
}

/** RFC 6901. A key is a device's own word; at most 64 characters of it are repeated. */
/** No signal has words with spaces for a name: somebody wrote a sentence there, and refusals go where people's data must not. */
function escapePointer(key: string): string {
  if (/\s/.test(key)) return '?'
  const short = key.length > 64 ? key.slice(0, 64) : key
  return short.includes('~') || short.includes('/') ? short.replaceAll('~', '~0').replaceAll('/', '~1') : short
}
