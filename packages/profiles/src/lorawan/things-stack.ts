/** Webhooks of The Things Stack v3. */
import { checkAddress, fromBase64, instant, isObject, type JsonObject, objectAt, textAt } from '../envelope.ts'
import { fail } from '../errors.ts'
import type { DecodeContext } from '../profile.ts'
import { best, counterAt, definedText, gatewaysOf, type NetworkEvent, portAt, type Uplink } from './network-event.ts'

export function thingsStack(event: JsonObject, context: DecodeContext): Uplink | NetworkEvent {
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
    fPortPointer: '/uplink_message/f_port',
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
