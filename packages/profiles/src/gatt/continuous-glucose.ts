/**
 * CGM Measurement (2AA7): one or more records, each with its own size. Flags: 0 trend, 1 quality, 5 warning octet,
 * 6 calibration and temperature octet, 7 status octet. A CRC may follow each record. Source: Bluetooth CGM Service 1.0.2.
 *
 * Times are minutes since the start of the session, which only another characteristic (2AAA) tells: `sessionStart`.
 */
import type { DecodedFrame, DecodedReading, DeviceTime, EpochMs } from '@careloop/contract'
import { ByteReader } from '../byte-reader.ts'
import { fail } from '../errors.ts'
import { gattFrame, reservedBits, someAttributes } from './frame.ts'
import { sfloat } from './ieee-11073.ts'

export interface CgmSession {
  /** When the session began; without it readings carry no time of the device, only the attribute `timeOffsetMinutes`. */
  readonly sessionStart?: EpochMs
}

export function continuousGlucose(bytes: Uint8Array, session: CgmSession = {}): DecodedFrame {
  const readings: DecodedReading[] = []
  const warnings = new Set<string>()
  let attributes: Record<string, string | number | boolean> = {}
  let start = 0
  if (bytes.length === 0) throw fail('frame-truncated', 'The frame is empty.', { pointer: '@0' })
  for (let group = 0; start < bytes.length; group++) {
    const size = bytes[start]!
    if (size < 6) throw fail('frame-invalid', 'A CGM record has at least 6 bytes.', { pointer: `@${start}` })
    if (start + size > bytes.length) {
      throw fail('frame-truncated', 'The frame ends before its CGM record.', { pointer: `@${bytes.length}` })
    }
    const record = readRecord(new ByteReader(bytes.subarray(start, start + size), start))
    attributes = { ...attributes, ...record.attributes }
    if (record.warning !== undefined) warnings.add(record.warning)
    const time: { time?: DeviceTime; ordinal?: number } =
      session.sessionStart === undefined
        ? { ordinal: group }
        : { time: { epochMs: session.sessionStart + record.minutes * 60_000 } }
    for (const reading of record.readings) readings.push({ ...reading, ...time, group })
    start += size
  }
  return gattFrame(readings, { warnings: [...warnings], attributes })
}

function readRecord(reader: ByteReader) {
  const size = reader.u8('size')
  const flags = reader.u8('flags')
  const value = sfloat(reader.u16('glucose'))
  const minutes = reader.u16('time offset')
  const status = flags & 0x80 ? reader.u8('status') : undefined
  const calibration = flags & 0x40 ? reader.u8('calibration and temperature') : undefined
  const warning = flags & 0x20 ? reader.u8('warning') : undefined
  const trend = flags & 1 ? sfloat(reader.u16('trend')) : undefined
  const quality = flags & 2 ? sfloat(reader.u16('quality')) : undefined
  if (reader.remaining === 2) checkCrc(reader, size)
  reader.end()
  const readings: DecodedReading[] = [{ signal: 'glucose-interstitial', value, unit: 'mg/dL' }]
  if (trend !== undefined) readings.push({ signal: 'glucose-trend', value: trend, unit: 'mg/dL/min' })
  if (quality !== undefined) readings.push({ signal: 'glucose-quality', value: quality, unit: '%' })
  return {
    readings,
    minutes,
    warning: reservedBits('flags', flags, 0x1c),
    attributes: {
      timeOffsetMinutes: minutes,
      ...(status === undefined ? {} : { sensorStatus: status, ...statusFlags(status) }),
      ...(calibration === undefined ? {} : { calibrationStatus: calibration }),
      ...(warning === undefined ? {} : { warningStatus: warning, ...warningFlags(warning) }),
    },
  }
}

/** E2E-CRC: CRC-16 of CCITT, reflected, from 0xFFFF, over the record without its last two bytes. */
function checkCrc(reader: ByteReader, size: number): void {
  let crc = 0xffff
  for (const byte of reader.bytes.subarray(0, size - 2)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1
  }
  if (reader.u16('E2E-CRC') !== crc) {
    throw fail('frame-invalid', 'The checksum of the record is wrong. Read it from the sensor again.', {
      pointer: reader.at(2),
    })
  }
}

const statusFlags = (status: number) =>
  someAttributes({
    sessionStopped: (status & 1) !== 0,
    deviceBatteryLow: (status & 2) !== 0,
    sensorTypeIncorrect: (status & 4) !== 0,
    sensorMalfunction: (status & 8) !== 0,
    deviceSpecificAlert: (status & 16) !== 0,
    generalDeviceFault: (status & 32) !== 0,
  })

const warningFlags = (status: number) =>
  someAttributes({
    belowPatientLow: (status & 1) !== 0,
    abovePatientHigh: (status & 2) !== 0,
    belowHypoLevel: (status & 4) !== 0,
    aboveHyperLevel: (status & 8) !== 0,
    rateOfDecreaseExceeded: (status & 16) !== 0,
    rateOfIncreaseExceeded: (status & 32) !== 0,
    belowSensorRange: (status & 64) !== 0,
    aboveSensorRange: (status & 128) !== 0,
  })
