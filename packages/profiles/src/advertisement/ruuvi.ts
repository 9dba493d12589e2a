/**
 * Ruuvi: RuuviTag data formats 3 (RAWv1), 5 (RAWv2), C5 (cut), 2 and 4 (in a URL), Ruuvi Air 6 and E1. Company 0x0499.
 * Source: docs.ruuvi.com, data formats. The largest (unsigned) or smallest (signed) number of a field says "not available".
 */
import type { DecodedFrame, DecodedReading } from '@careloop/contract'
import { ByteReader, toHex } from '../byte-reader.ts'
import { fail } from '../errors.ts'
import type { DecodeContext } from '../profile.ts'
import { readAdvertisement } from './advertisement.ts'
import { ruuviAir, ruuviAirExtended } from './ruuvi-air.ts'
import { air, climateV2, NONE } from './ruuvi-fields.ts'
import { asHeard, inSection } from './section.ts'

const RUUVI = 0x0499
const EDDYSTONE = 'feaa'

export function decodeRuuvi(bytes: Uint8Array, context: DecodeContext = {}): DecodedFrame {
  const advertisement = readAdvertisement(bytes, context)
  const section = advertisement.manufacturer.get(RUUVI)
  if (section !== undefined) return asHeard(inSection(section, ruuviPayload), advertisement)
  const url = advertisement.service.get(EDDYSTONE)
  if (url !== undefined) return asHeard(inSection(url, ruuviUrl), advertisement)
  throw fail('frame-unsupported', 'The advertisement holds no data of Ruuvi (company 0x0499).', { pointer: '' })
}

/** What stands behind the company number: the format number and its fields. */
export function ruuviPayload(bytes: Uint8Array): DecodedFrame {
  const reader = new ByteReader(bytes)
  const format = reader.u8('data format')
  if (format === 3) return rawV1(reader)
  if (format === 5) return rawV2(reader)
  if (format === 0xc5) return cutRawV2(reader)
  if (format === 6) return ruuviAir(reader)
  if (format === 0xe1) return ruuviAirExtended(reader)
  if (format === 8) throw fail('frame-encrypted', 'Ruuvi data format 8 is encrypted and not read.', { pointer: '@0' })
  throw fail('frame-unsupported', `Ruuvi data format ${format} is not read.`, { pointer: '@0' })
}

function rawV1(reader: ByteReader): DecodedFrame {
  const humidity = reader.u8('humidity') / 2
  const temperature = signedMagnitude(reader)
  const pressure = (reader.u16be('pressure') + 50_000) / 100
  const axes = [reader.i16be('x'), reader.i16be('y'), reader.i16be('z')]
  const battery = reader.u16be('battery')
  reader.end()
  return {
    readings: [
      ...air(temperature, humidity, pressure),
      ...motion(axes),
      { signal: 'battery-voltage', value: battery, unit: 'mV' },
    ],
    attributes: { dataFormat: 3 },
  }
}

/** Sign bit, whole degrees, hundredths. */
function signedMagnitude(reader: ByteReader): number {
  const whole = reader.u8('temperature')
  const hundredths = reader.u8('temperature')
  if (hundredths > 99)
    throw fail('frame-invalid', 'The fraction of the temperature exceeds 99.', { pointer: reader.at(1) })
  const magnitude = ((whole & 0x7f) * 100 + hundredths) / 100
  return whole & 0x80 && magnitude !== 0 ? -magnitude : magnitude
}

function rawV2(reader: ByteReader): DecodedFrame {
  const climate = climateV2(reader)
  const axes = [reader.i16be('x'), reader.i16be('y'), reader.i16be('z')]
  const rest = tailV2(reader)
  return {
    readings: [...climate, ...motion(axes), ...rest.readings],
    attributes: { dataFormat: 5, ...rest.attributes },
  }
}

function cutRawV2(reader: ByteReader): DecodedFrame {
  const climate = climateV2(reader)
  const rest = tailV2(reader)
  return { readings: [...climate, ...rest.readings], attributes: { dataFormat: 0xc5, ...rest.attributes } }
}

function tailV2(reader: ByteReader) {
  const power = reader.u16be('power')
  const movements = reader.u8('movement counter')
  const sequence = reader.u16be('sequence number')
  const mac = toHex(reader.take(6, 'address'))
  reader.end()
  const battery = power >>> 5
  const txPower = power & 31
  const readings: DecodedReading[] = [
    { signal: 'battery-voltage', value: battery === 2047 ? NONE : battery + 1600, unit: 'mV' },
    { signal: 'movement-counter', value: movements === 0xff ? NONE : movements, unit: '1' },
  ]
  const attributes = {
    ...(txPower === 31 ? {} : { txPowerDbm: txPower * 2 - 40 }),
    // It begins anew every 18 hours at a measurement a second: no identity of a message, so it is not the frame's sequence.
    ...(sequence === 0xffff ? {} : { measurementSequence: sequence }),
    ...(mac === 'ffffffffffff' ? {} : { mac }),
  }
  return { readings, attributes }
}

/**
 * Three axes in thousandths of standard gravity, and their length: what tells a knock without knowing how the tag lies. A chip that
 * cannot tell one axis has not measured the others either.
 */
function motion(axes: readonly number[]): DecodedReading[] {
  const isKnown = axes.every((axis) => axis !== -0x8000)
  const total = Math.round(Math.hypot(...axes) * 1000) / 1000
  return [
    ...axes.map((axis, place) => ({
      signal: `acceleration-${'xyz'[place]}`,
      value: isKnown ? axis : NONE,
      unit: 'm[g]',
    })),
    { signal: 'acceleration', value: isKnown ? total : NONE, unit: 'm[g]' },
  ]
}

/** Formats 2 and 4: `ruu.vi/#` and six bytes in base64, in an Eddystone URL frame. */
function ruuviUrl(bytes: Uint8Array): DecodedFrame {
  const text = Buffer.from(bytes.subarray(3)).toString('latin1')
  const payload = /^ruu\.vi\/#([A-Za-z0-9+/_-]{8})/.exec(text)?.[1]
  if (bytes[0] !== 0x10 || payload === undefined) {
    throw fail('frame-unsupported', 'This Eddystone frame is no address of ruu.vi.', { pointer: '@0' })
  }
  const reader = new ByteReader(Buffer.from(payload, 'base64'))
  const format = reader.u8('data format')
  if (format !== 2 && format !== 4) {
    throw fail('frame-unsupported', `Ruuvi data format ${format} is not read.`, { pointer: '@11' })
  }
  const humidity = reader.u8('humidity') / 2
  const temperature = signedMagnitude(reader)
  const pressure = (reader.u16be('pressure') + 50_000) / 100
  return { readings: air(temperature, humidity, pressure), attributes: { dataFormat: format } }
}
