/** Ruuvi Air: data format 6 (20 bytes) and E1 (40 bytes, extended advertising). Source: docs.ruuvi.com. */
import type { DecodedFrame, DecodedReading, Value } from '@careloop/contract'
import { type ByteReader, toHex } from '../byte-reader.ts'
import { climateV2, NONE, scaled } from './ruuvi-fields.ts'

/** Format 6 tells light on a logarithmic scale: e^(code x ln(65536) / 254) - 1 lx. */
const LIGHT_STEP = Math.log(65_536) / 254

export function ruuviAir(reader: ByteReader): DecodedFrame {
  const climate = climateV2(reader)
  const pm25 = scaled(reader.u16be('PM 2.5'), 0xffff, 10)
  const co2 = scaled(reader.u16be('CO2'), 0xffff, 1)
  const voc = reader.u8('VOC')
  const nox = reader.u8('NOx')
  const light = reader.u8('luminosity')
  reader.u8('reserved')
  const sequence = reader.u8('sequence number')
  const flags = reader.u8('flags')
  const mac = toHex(reader.take(3, 'address'))
  reader.end()
  const lux: Value = light === 0xff ? NONE : Math.round(Math.exp(light * LIGHT_STEP) - 1)
  return {
    readings: [
      ...climate,
      { signal: 'pm2-5', value: pm25, unit: 'ug/m3' },
      ...gases(co2, voc, nox, flags),
      { signal: 'illuminance', value: lux, unit: 'lx' },
    ],
    attributes: { dataFormat: 6, measurementSequence: sequence, macEnd: mac, ...calibrating(flags) },
  }
}

export function ruuviAirExtended(reader: ByteReader): DecodedFrame {
  const climate = climateV2(reader)
  const particles = ['pm1', 'pm2-5', 'pm4', 'pm10'].map((signal) => ({
    signal,
    value: scaled(reader.u16be(signal), 0xffff, 10),
    unit: 'ug/m3',
  }))
  const co2 = scaled(reader.u16be('CO2'), 0xffff, 1)
  const voc = reader.u8('VOC')
  const nox = reader.u8('NOx')
  const light = reader.u24be('luminosity')
  reader.take(3, 'reserved')
  const sequence = reader.u24be('sequence number')
  const flags = reader.u8('flags')
  reader.take(5, 'reserved')
  const mac = toHex(reader.take(6, 'address'))
  reader.end()
  return {
    readings: [
      ...climate,
      ...particles,
      ...gases(co2, voc, nox, flags),
      { signal: 'illuminance', value: scaled(light, 0xffffff, 100), unit: 'lx' },
    ],
    attributes: {
      dataFormat: 0xe1,
      ...(sequence === 0xffffff ? {} : { measurementSequence: sequence }),
      ...(mac === 'ffffffffffff' ? {} : { mac }),
      ...calibrating(flags),
    },
  }
}

/** VOC and NOx indexes have 9 bits: the lowest ones stand in the flags (bits 6 and 7). 511 = not available. */
function gases(co2: Value, voc: number, nox: number, flags: number): DecodedReading[] {
  const index = (high: number, low: number): Value => scaled(high * 2 + low, 511, 1)
  return [
    { signal: 'co2', value: co2, unit: '[ppm]' },
    { signal: 'voc-index', value: index(voc, (flags >> 6) & 1), unit: '1' },
    { signal: 'nox-index', value: index(nox, (flags >> 7) & 1), unit: '1' },
  ]
}

/** Bit 0: the sensors still settle after a start, and the values with them. */
const calibrating = (flags: number) => (flags & 1 ? { calibrationInProgress: true } : {})
