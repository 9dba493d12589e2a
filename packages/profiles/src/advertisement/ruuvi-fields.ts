/** Fields that Ruuvi's formats share. */
import type { DecodedReading, Value } from '@careloop/contract'
import type { ByteReader } from '../byte-reader.ts'

export const NONE: Value = { absent: 'unsuccessful' }

/** A raw field times 1/per, or absent when it is the word for "not available". */
export const scaled = (raw: number, none: number, per: number, times = 1): Value =>
  raw === none ? NONE : (raw * times) / per

/** Temperature, humidity and pressure as formats 5, C5, 6 and E1 begin. */
export function climateV2(reader: ByteReader): DecodedReading[] {
  const temperature = scaled(reader.i16be('temperature'), -0x8000, 200)
  const humidity = scaled(reader.u16be('humidity'), 0xffff, 400)
  const pascal = reader.u16be('pressure')
  return air(temperature, humidity, pascal === 0xffff ? NONE : (pascal + 50_000) / 100)
}

export const air = (temperature: Value, humidity: Value, pressure: Value): DecodedReading[] => [
  { signal: 'temperature-ambient', value: temperature, unit: 'Cel' },
  { signal: 'humidity', value: humidity, unit: '%' },
  { signal: 'pressure-air', value: pressure, unit: 'hPa' },
]
