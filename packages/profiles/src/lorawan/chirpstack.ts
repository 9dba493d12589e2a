/** ChirpStack v4 integration events as JSON (HTTP or MQTT). Version 3 has other names and is refused. */
import type { EpochMs } from '@careloop/contract'
import {
  checkAddress,
  fromBase64,
  instant,
  isObject,
  type JsonObject,
  numberAt,
  objectAt,
  textAt,
} from '../envelope.ts'
import { fail } from '../errors.ts'
import type { DecodeContext } from '../profile.ts'
import { best, counterAt, definedText, gatewaysOf, type NetworkEvent, portAt, type Uplink } from './network-event.ts'

export function chirpStack(event: JsonObject, context: DecodeContext): Uplink | NetworkEvent {
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
    fPortPointer: '/fPort',
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
