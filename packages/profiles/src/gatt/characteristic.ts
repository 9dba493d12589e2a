/**
 * Which characteristic a frame is of. A profile with one characteristic takes its bytes as they come from the device; whatever
 * else a gateway sends is an envelope that names it: `{"characteristic":"2A36","hex":"1e04...","ts":1795336215000}`.
 */
import type { DecodedFrame } from '@careloop/contract'
import {
  checkAddress,
  fromBase64,
  fromHex,
  heardAt,
  instant,
  isJson,
  type JsonObject,
  parseObject,
  textAt,
} from '../envelope.ts'
import { fail } from '../errors.ts'
import type { DecodeContext } from '../profile.ts'
import { continuousGlucose } from './continuous-glucose.ts'
import { glucose } from './glucose.ts'
import { heartRate } from './heart-rate.ts'
import { bloodPressure, cuffPressure } from './pressure.ts'
import { plxContinuous, plxSpot } from './pulse-oximeter.ts'
import { temperature } from './temperature.ts'
import { weight } from './weight.ts'

type Decode = (bytes: Uint8Array) => DecodedFrame

/** Health characteristics by their 16-bit number. */
export const characteristics: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['2A18', glucose],
  ['2A19', batteryLevel],
  ['2A1C', temperature],
  ['2A1E', temperature],
  ['2A35', bloodPressure],
  ['2A36', cuffPressure],
  ['2A37', heartRate],
  ['2A5E', plxSpot],
  ['2A5F', plxContinuous],
  ['2A9D', weight],
  ['2AA7', (bytes) => continuousGlucose(bytes)],
])

/** Decodes one value of a characteristic. @param characteristic `2A35`, `0x2A35` or the 128-bit UUID */
export function decodeCharacteristic(characteristic: string, bytes: Uint8Array): DecodedFrame {
  return decoderOf(characteristic, '')(bytes)
}

/** The codec of a profile. @param plain the characteristic of bytes that come without an envelope; none: they are refused */
export const gattCodec =
  (plain: string | undefined) =>
  (bytes: Uint8Array, context: DecodeContext = {}): DecodedFrame => {
    if (isEnvelope(bytes)) return decodeEnvelope(parseObject(bytes), plain, context)
    if (plain === undefined) {
      throw fail('frame-unsupported', 'Send {"characteristic": ..., "hex": ...}: this profile reads several.', {
        pointer: '@0',
      })
    }
    return decodeCharacteristic(plain, bytes)
  }

/** No characteristic here begins with `{"`: as flags, 0x7B has reserved bits set, and as a CGM record it would be 123 bytes long. */
const isEnvelope = (bytes: Uint8Array): boolean =>
  isJson(bytes) && /^\{\s*["}]/.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'))

function decodeEnvelope(envelope: JsonObject, plain: string | undefined, context: DecodeContext): DecodedFrame {
  checkAddress(textAt(envelope, 'address', '/address'), context, '/address')
  const ts = instant(envelope.ts, '/ts')
  const name = textAt(envelope, 'characteristic', '/characteristic') ?? plain
  if (name === undefined) {
    throw fail('frame-invalid', 'Name the characteristic, e.g. "2A35".', { pointer: '/characteristic' })
  }
  const decode = decoderOf(name, '/characteristic')
  const isCgm = decode === characteristics.get('2AA7')
  const bytes = bytesOf(envelope)
  if (isCgm) {
    const sessionStart = instant(envelope.sessionStart, '/sessionStart')
    return heardAt(continuousGlucose(bytes, sessionStart === undefined ? {} : { sessionStart }), ts)
  }
  return heardAt(decode(bytes), ts)
}

function bytesOf(envelope: JsonObject): Uint8Array {
  const hex = textAt(envelope, 'hex', '/hex')
  if (hex !== undefined) return fromHex(hex, '/hex')
  const base64 = textAt(envelope, 'base64', '/base64')
  if (base64 !== undefined) return fromBase64(base64, '/base64')
  throw fail('frame-invalid', 'Send the value of the characteristic as "hex" or "base64".', { pointer: '/hex' })
}

const LONG_UUID = /^0000([0-9A-F]{4})-0000-1000-8000-00805F9B34FB$/

function decoderOf(characteristic: string, pointer: string): Decode {
  const upper = characteristic.trim().toUpperCase()
  const short = LONG_UUID.exec(upper)?.[1] ?? upper.replace(/^0X/, '')
  const decode = characteristics.get(short)
  if (decode === undefined) {
    throw fail('frame-unsupported', 'No decoder for this characteristic.', { pointer })
  }
  return decode
}

function batteryLevel(bytes: Uint8Array): DecodedFrame {
  if (bytes.length === 0) throw fail('frame-truncated', 'The frame ends before its battery level.', { pointer: '@0' })
  if (bytes.length > 1 || bytes[0]! > 100) {
    throw fail('frame-invalid', 'A battery level is one byte from 0 to 100.', { pointer: '@0' })
  }
  return { readings: [{ signal: 'battery-level', value: bytes[0]!, unit: '%' }] }
}
