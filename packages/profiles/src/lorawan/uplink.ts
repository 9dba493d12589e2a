/**
 * LoRaWAN uplinks as network servers hand them on: ChirpStack v4 JSON events and The Things Stack v3 webhooks. Both say little
 * when a field is 0 or empty: they leave it out. The payload itself is decoded by the device's own codec, never taken from the
 * server's (`object`, `decoded_payload`): nobody knows which version of which script made that.
 *
 * The frame counter is no sequence: it begins anew when the device joins again. The server's time of an uplink is the same in
 * every copy and retry of it, and with the value it is the identity that holds.
 */
import type { DecodedFrame, DecodedReading } from '@careloop/contract'
import { isObject, parseObject } from '../envelope.ts'
import { fail } from '../errors.ts'
import type { DecodeContext } from '../profile.ts'
import { chirpStack } from './chirpstack.ts'
import type { Uplink } from './network-event.ts'
import { thingsStack } from './things-stack.ts'

/** Decodes the payload of one uplink. */
export interface PayloadCodec {
  /** Ports the device sends on; all when absent. */
  readonly ports?: readonly number[]
  decode(payload: Uint8Array): DecodedFrame
}

/** The codec of a LoRaWAN profile. @throws Failure with a JSON pointer for the event, `@offset` for the payload */
export const lorawanCodec =
  (codec: PayloadCodec) =>
  (bytes: Uint8Array, context: DecodeContext = {}): DecodedFrame => {
    const event = parseObject(bytes)
    const heard = isObject(event.end_device_ids) ? thingsStack(event, context) : chirpStack(event, context)
    if ('readings' in heard) return heard
    return withNetwork(decodeOf(heard, codec), heard)
  }

function decodeOf(uplink: Uplink, codec: PayloadCodec): DecodedFrame {
  // Port 0 and an empty payload carry only what concerns the network.
  if (uplink.fPort === 0 || uplink.payload.length === 0)
    return { readings: [], warnings: ['The uplink has no payload.'] }
  if (codec.ports?.includes(uplink.fPort) === false) {
    throw fail('frame-unsupported', `This model sends on port ${codec.ports.join(', ')}, not on ${uplink.fPort}.`, {
      pointer: uplink.fPortPointer,
    })
  }
  return codec.decode(uplink.payload)
}

function withNetwork(frame: DecodedFrame, uplink: Uplink): DecodedFrame {
  const radio: DecodedReading[] = []
  if (uplink.rssi !== undefined) radio.push({ signal: 'signal-strength', value: uplink.rssi, unit: '{dBm}' })
  if (uplink.snr !== undefined) radio.push({ signal: 'signal-to-noise', value: uplink.snr, unit: 'dB' })
  const { time } = uplink
  const readings = [...frame.readings, ...radio].map(
    (reading): DecodedReading =>
      time === undefined || reading.time !== undefined ? reading : { ...reading, time: { epochMs: time } },
  )
  const warnings = [...uplink.warnings, ...(frame.warnings ?? [])]
  return {
    ...frame,
    readings,
    attributes: { ...uplink.attributes, ...frame.attributes },
    ...(warnings.length > 0 ? { warnings } : {}),
  }
}
