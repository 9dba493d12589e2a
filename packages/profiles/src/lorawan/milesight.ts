/**
 * Milesight sensors: a payload is channels one after the other, each id, type and data. The port is a setting of the device
 * (85 from the factory) and tells nothing.
 */
import type { DecodedFrame, DecodedReading } from '@careloop/contract'
import { ByteReader } from '../byte-reader.ts'
import { fail } from '../errors.ts'
import { channelKey, type Model } from './milesight-channels.ts'
import { UNSET_CLOCK } from './unix-time.ts'
import type { PayloadCodec } from './uplink.ts'

const HISTORY: ReadonlySet<number> = new Set([channelKey(0x20, 0xce), channelKey(0x21, 0xce)])

export const milesightCodec = (model: Model): PayloadCodec => ({
  decode: (payload) => decodeChannels(payload, model),
})

export function decodeChannels(payload: Uint8Array, model: Model): DecodedFrame {
  const reader = new ByteReader(payload)
  const readings: DecodedReading[] = []
  const warnings: string[] = []
  let attributes: Record<string, string | number | boolean> = {}
  for (let group = 0; reader.remaining > 0; ) {
    const key = channelKey(reader.u8('channel id'), reader.u8('channel type'))
    const channel = model.get(key)
    if (channel === undefined) {
      if (reader.offset === 2) throw fail('frame-unsupported', 'No channel of this model begins so.', { pointer: '@0' })
      // Its length is unknown, and with it where the next begins.
      warnings.push(`A channel (0x${key.toString(16).padStart(4, '0')}) is not known; it and what follows is not read.`)
      break
    }
    const data = reader.take(channel.length, 'channel data')
    const result = channel.read(new DataView(data.buffer, data.byteOffset, data.byteLength))
    if (HISTORY.has(key)) group++
    const place = HISTORY.has(key) ? group : 0
    for (const reading of result.readings ?? []) readings.push({ ...reading, group: place })
    attributes = { ...attributes, ...result.attributes }
  }
  return frameOf(readings, attributes, warnings)
}

function frameOf(
  readings: readonly DecodedReading[],
  attributes: Readonly<Record<string, string | number | boolean>>,
  warnings: readonly string[],
): DecodedFrame {
  const clockUnset = readings.some((reading) => reading.untrustedTime !== undefined)
  const said = clockUnset ? [...warnings, UNSET_CLOCK] : warnings
  return {
    readings,
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    ...(said.length > 0 ? { warnings: said } : {}),
    ...(clockUnset ? { clockUnset } : {}),
  }
}
