/**
 * Dragino LHT65: temperature, humidity and one external sensor. Uplinks on port 2, big-endian, records of 11 bytes:
 * battery 2 | built-in temperature 2 | humidity 2 | kind of external sensor 1 | its value 4.
 * Source: Dragino LHT65 user manual 1.8, 2.4 (payload), 2.6 (data log).
 */
import type { DecodedFrame, DecodedReading, Value } from '@careloop/contract'
import { ByteReader, toHex } from '../byte-reader.ts'
import { fail } from '../errors.ts'
import { UNSET_CLOCK, unixTime } from './unix-time.ts'
import type { PayloadCodec } from './uplink.ts'

const RECORD = 11
const BATTERY = ['ultra-low', 'low', 'ok', 'good'] as const

export const lht65Codec: PayloadCodec = { ports: [2], decode: decodeLht65 }

export function decodeLht65(payload: Uint8Array): DecodedFrame {
  if (payload.length < RECORD) {
    throw fail('frame-truncated', 'The payload ends before its 11 bytes.', { pointer: `@${payload.length}` })
  }
  if ((payload[6]! & 0x40) !== 0) return logged(payload)
  const reader = new ByteReader(payload)
  const frame = current(reader)
  reader.end()
  return frame
}

/** The word that the sensors give when nothing is connected or the bus failed: 327.67 degrees otherwise. */
const temperature = (raw: number): Value => (raw === 0x7fff || raw === -0x8000 ? { absent: 'unsuccessful' } : raw / 100)

function current(reader: ByteReader): DecodedFrame {
  const kind = reader.bytes[6]! & 0x0f
  const isDisconnected = (reader.bytes[6]! & 0x80) !== 0
  const first = reader.u16be('battery')
  const builtIn = reader.i16be('temperature')
  const humidity = reader.u16be('humidity')
  reader.u8('kind of external sensor')
  const external = new DataView(reader.bytes.buffer, reader.bytes.byteOffset + 7, 4)
  reader.take(4, 'external sensor')
  if (kind === 0x0f) return probeId(reader.bytes, first)
  const readings: DecodedReading[] = [
    { signal: 'temperature-ambient', value: temperature(builtIn), unit: 'Cel' },
    { signal: 'humidity', value: (humidity & 0x0fff) / 10, unit: '%' },
  ]
  // Kind 9 puts the probe where the battery stands, the battery's state above the humidity, and the time last.
  if (kind === 9) {
    const probe = isDisconnected ? 0x7fff : (first << 16) >> 16
    readings.push({ signal: 'temperature-probe', value: temperature(probe), unit: 'Cel' })
    const time = unixTime(external.getUint32(0))
    return {
      readings: readings.map((reading) => ({ ...reading, ...time })),
      attributes: { batteryState: BATTERY[humidity >>> 14]! },
      ...('time' in time ? {} : { clockUnset: true, warnings: [UNSET_CLOCK] }),
    }
  }
  const extra = externalSensor(kind, isDisconnected, external)
  return {
    readings: [...readings, ...extra.readings, ...battery(first)],
    attributes: { batteryState: BATTERY[first >>> 14]! },
    ...(extra.warning === undefined ? {} : { warnings: [extra.warning] }),
  }
}

/** Millivolts in the lower 14 bits, a state in the upper two. */
const battery = (word: number): DecodedReading[] => [{ signal: 'battery-voltage', value: word & 0x3fff, unit: 'mV' }]

function externalSensor(kind: number, isDisconnected: boolean, external: DataView) {
  const value = (signal: string, number: Value, unit: string): DecodedReading => ({
    signal,
    value: isDisconnected ? { absent: 'unsuccessful' } : number,
    unit,
  })
  const warning = isDisconnected ? 'The external sensor is not connected.' : undefined
  return { readings: externalReadings(kind, external, value), warning: isUnknown(kind) ? UNKNOWN_KIND : warning }
}

const UNKNOWN_KIND = 'The kind of external sensor is not known; its value is not read.'
const isUnknown = (kind: number): boolean => ![0, 1, 4, 5, 6, 7, 8].includes(kind)

function externalReadings(
  kind: number,
  external: DataView,
  value: (signal: string, number: Value, unit: string) => DecodedReading,
): readonly DecodedReading[] {
  switch (kind) {
    case 1:
      return [value('temperature-probe', temperature(external.getInt16(0)), 'Cel')]
    case 4:
      return [
        value('digital-input', external.getUint8(0) === 0 ? 0 : 1, '1'),
        value('input-triggered', external.getUint8(1) === 0 ? 0 : 1, '1'),
      ]
    case 5:
      return [value('illuminance', external.getUint16(0), 'lx')]
    case 6:
      return [value('voltage', external.getUint16(0), 'mV')]
    case 7:
      return [value('count', external.getUint16(0), '1')]
    case 8:
      return [value('count', external.getUint32(0), '1')]
    default:
      return []
  }
}

/** Kind 15: the number of the probe, in the bytes around the kind. */
function probeId(payload: Uint8Array, battery: number): DecodedFrame {
  return {
    readings: [{ signal: 'battery-voltage', value: battery & 0x3fff, unit: 'mV' }],
    attributes: {
      batteryState: BATTERY[battery >>> 14]!,
      probeId: toHex(payload.subarray(2, 6)) + toHex(payload.subarray(7, 11)),
    },
  }
}

/**
 * The log that a server asked for: records with the external value first and a Unix time last. A record of 0x55 says that there
 * is nothing in the span asked for.
 */
function logged(payload: Uint8Array): DecodedFrame {
  if (payload.length % RECORD !== 0) {
    throw fail('frame-truncated', 'The log ends inside a record.', { pointer: `@${payload.length}` })
  }
  const readings: DecodedReading[] = []
  const warnings = new Set<string>()
  for (let start = 0; start < payload.length; start += RECORD) {
    const record = payload.subarray(start, start + RECORD)
    if (record.every((byte) => byte === 0x55)) {
      warnings.add('The device has nothing in its log for the span asked for.')
      continue
    }
    readings.push(...loggedRecord(record, start / RECORD))
  }
  const clockUnset = readings.some((reading) => reading.untrustedTime !== undefined)
  if (clockUnset) warnings.add(UNSET_CLOCK)
  return { readings, ...(warnings.size > 0 ? { warnings: [...warnings] } : {}), ...(clockUnset ? { clockUnset } : {}) }
}

function loggedRecord(record: Uint8Array, group: number): readonly DecodedReading[] {
  const view = new DataView(record.buffer, record.byteOffset, RECORD)
  const kind = record[6]! & 0x0f
  const time = unixTime(view.getUint32(7))
  // The record has two bytes for the external value: a 16-bit count or level as it stands.
  const external = (signal: string, number: Value, unit: string): DecodedReading => ({ signal, value: number, unit })
  const short = new DataView(Uint8Array.of(record[0]!, record[1]!, 0, 0).buffer)
  const readings: DecodedReading[] = [
    { signal: 'temperature-ambient', value: temperature(view.getInt16(2)), unit: 'Cel' },
    { signal: 'humidity', value: (view.getUint16(4) & 0x0fff) / 10, unit: '%' },
    ...(kind === 8 ? [] : externalReadings(kind === 9 ? 1 : kind, short, external)),
  ]
  return readings.map((reading) => ({ ...reading, ...time, group }))
}
