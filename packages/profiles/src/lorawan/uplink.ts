/**
 * LoRaWAN uplinks as network servers hand them on: ChirpStack v4 JSON events and The Things Stack v3 webhooks. Both say little
 * when a field is 0 or empty: they leave it out. The payload itself is decoded by the device's own codec, never taken from the
 * server's (`object`, `decoded_payload`): nobody knows which version of which script made that.
 *
 * The frame counter is no sequence: it begins anew when the device joins again. The server's time of an uplink is the same in
 * every copy and retry of it, and with the value it is the identity that holds.
 */
import type { DecodedFrame, DecodedReading, EpochMs } from '@careloop/contract'
import {
  checkAddress,
  fromBase64,
  instant,
  isObject,
  type JsonObject,
  numberAt,
  objectAt,
  parseObject,
  textAt,
} from '../envelope.ts'
import { fail } from '../errors.ts'
import type { DecodeContext } from '../profile.ts'

export interface Uplink {
  readonly fPort: number
  readonly payload: Uint8Array
  /** When the network heard it. */
  readonly time?: EpochMs
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** Radio of the gateway that heard it best. */
  readonly rssi?: number
  readonly snr?: number
  readonly warnings: readonly string[]
}

/** Something of the network about the device that carries no payload: it joined, its battery state. */
export type NetworkEvent = DecodedFrame

/** Decodes the payload of one uplink. */
export type PayloadCodec = (payload: Uint8Array, fPort: number) => DecodedFrame

/** The codec of a LoRaWAN profile. @throws Failure with a JSON pointer for the event, `@offset` for the payload */
export const lorawanCodec =
  (decodePayload: PayloadCodec) =>
  (bytes: Uint8Array, context: DecodeContext = {}): DecodedFrame => {
    const event = parseObject(bytes)
    const heard = isObject(event.end_device_ids) ? thingsStack(event, context) : chirpStack(event, context)
    if ('readings' in heard) return heard
    return withNetwork(decodeOf(heard, decodePayload), heard)
  }

function decodeOf(uplink: Uplink, decodePayload: PayloadCodec): DecodedFrame {
  // Port 0 and an empty payload carry only what concerns the network.
  if (uplink.fPort === 0 || uplink.payload.length === 0)
    return { readings: [], warnings: ['The uplink has no payload.'] }
  return decodePayload(uplink.payload, uplink.fPort)
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

// ---------------------------------------------------------------- ChirpStack v4

function chirpStack(event: JsonObject, context: DecodeContext): Uplink | NetworkEvent {
  const info = objectAt(event, 'deviceInfo', '/deviceInfo')
  const devEui = textAt(info, 'devEui', '/deviceInfo/devEui')
  if (devEui === undefined) {
    throw fail('frame-unsupported', 'This is neither an event of ChirpStack v4 nor of The Things Stack v3.', {
      pointer: '',
    })
  }
  checkAddress(devEui, context, '/deviceInfo/devEui')
  const time = instant(event.time, '/time')
  const attributes = { devEui, ...definedText(event, 'devAddr') }
  if (!isChirpStackUplink(event)) return chirpStackEvent(event, attributes, time)
  // Non-empty: the application key is held elsewhere and these bytes are still encrypted.
  const joinContext = event.joinServerContext
  if (isObject(joinContext) && Object.keys(joinContext).length > 0) {
    throw fail('frame-encrypted', 'The payload is encrypted by a join server of its own. Let ChirpStack decrypt it.', {
      pointer: '/joinServerContext',
    })
  }
  const gateways = gatewaysOf(event.rxInfo, '/rxInfo')
  return {
    fPort: portAt(event, 'fPort', '/fPort'),
    payload: fromBase64(textAt(event, 'data', '/data') ?? '', '/data'),
    ...(time === undefined ? {} : { time }),
    attributes: { ...attributes, fCnt: counterAt(event, 'fCnt', '/fCnt'), ...definedText(event, 'deduplicationId') },
    ...best(gateways),
    warnings: [],
  }
}

const isChirpStackUplink = (event: JsonObject): boolean =>
  event.data !== undefined || event.fPort !== undefined || event.rxInfo !== undefined || event.dr !== undefined

/** Status, join, log and the like: facts about the device; a battery level of status is a reading. */
function chirpStackEvent(
  event: JsonObject,
  attributes: Record<string, string>,
  time: EpochMs | undefined,
): NetworkEvent {
  const level = numberAt(event, 'batteryLevel', '/batteryLevel')
  const margin = numberAt(event, 'margin', '/margin')
  const isKnown = level !== undefined && event.batteryLevelUnavailable !== true && event.externalPowerSource !== true
  const when = time === undefined ? {} : { time: { epochMs: time } }
  return {
    readings: isKnown ? [{ signal: 'battery-level', value: level, unit: '%', ...when }] : [],
    attributes: {
      ...attributes,
      ...(margin === undefined ? {} : { linkMarginDb: margin }),
      ...(event.externalPowerSource === true ? { externalPower: true } : {}),
      ...definedText(event, 'level'),
      ...definedText(event, 'code'),
    },
    warnings: ['The event is no uplink: it tells of the device and the network.'],
  }
}

// ---------------------------------------------------------------- The Things Stack v3

function thingsStack(event: JsonObject, context: DecodeContext): Uplink | NetworkEvent {
  const ids = objectAt(event, 'end_device_ids', '/end_device_ids')
  const devEui = textAt(ids, 'dev_eui', '/end_device_ids/dev_eui')
  checkAddress(devEui, context, '/end_device_ids/dev_eui')
  const devAddr = textAt(ids, 'dev_addr', '/end_device_ids/dev_addr')
  const attributes = { ...(devEui === undefined ? {} : { devEui }), ...(devAddr === undefined ? {} : { devAddr }) }
  if (!isObject(event.uplink_message)) {
    if (!isObject(event.join_accept)) {
      throw fail('frame-unsupported', 'Send uplink messages and join accepts only.', { pointer: '/uplink_message' })
    }
    return { readings: [], attributes, warnings: ['The event is no uplink: the device joined the network.'] }
  }
  const message = event.uplink_message
  if (message.app_s_key !== undefined && message.app_s_key !== null) {
    throw fail('frame-encrypted', 'The payload is encrypted. Turn "skip payload crypto" off for this device.', {
      pointer: '/uplink_message/app_s_key',
    })
  }
  const time = instant(message.received_at, '/uplink_message/received_at') ?? instant(event.received_at, '/received_at')
  const isSimulated = event.simulated === true
  return {
    fPort: portAt(message, 'f_port', '/uplink_message/f_port'),
    payload: fromBase64(
      textAt(message, 'frm_payload', '/uplink_message/frm_payload') ?? '',
      '/uplink_message/frm_payload',
    ),
    ...(time === undefined ? {} : { time }),
    attributes: {
      ...attributes,
      fCnt: counterAt(message, 'f_cnt', '/uplink_message/f_cnt'),
      ...definedText(message, 'session_key_id', 'sessionKeyId'),
      ...(isSimulated ? { simulated: true } : {}),
    },
    ...best(gatewaysOf(message.rx_metadata, '/uplink_message/rx_metadata')),
    warnings: isSimulated ? ['The uplink was made in the console: no device measured this.'] : [],
  }
}

// ---------------------------------------------------------------- fields

interface Heard {
  readonly rssi?: number
  readonly snr?: number
}

function gatewaysOf(value: unknown, pointer: string): readonly Heard[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw fail('frame-invalid', 'Send a list of gateways here.', { pointer })
  return value.map((gateway: unknown, index): Heard => {
    const at = `${pointer}/${index}`
    if (!isObject(gateway)) throw fail('frame-invalid', 'Send a JSON object here.', { pointer: at })
    const rssi = numberAt(gateway, 'rssi', `${at}/rssi`)
    const snr = numberAt(gateway, 'snr', `${at}/snr`)
    return { ...(rssi === undefined ? {} : { rssi }), ...(snr === undefined ? {} : { snr }) }
  })
}

/** Of several gateways the one that heard the device best. */
function best(gateways: readonly Heard[]): Heard {
  return gateways.reduce<Heard>(
    (kept, next) => ((next.rssi ?? -999) > (kept.rssi ?? -999) ? next : kept),
    gateways[0] ?? {},
  )
}

function portAt(object: JsonObject, key: string, pointer: string): number {
  const port = numberAt(object, key, pointer) ?? 0
  if (Number.isInteger(port) && port >= 0 && port <= 255) return port
  throw fail('frame-invalid', 'A port is a whole number from 0 to 255.', { pointer })
}

function counterAt(object: JsonObject, key: string, pointer: string): number {
  const counter = numberAt(object, key, pointer) ?? 0
  if (Number.isInteger(counter) && counter >= 0 && counter <= 0xffff_ffff) return counter
  throw fail('frame-invalid', 'A frame counter is a whole number of 32 bits.', { pointer })
}

const definedText = (object: JsonObject, key: string, name = key): Record<string, string> => {
  const value = object[key]
  return typeof value === 'string' ? { [name]: value } : {}
}
