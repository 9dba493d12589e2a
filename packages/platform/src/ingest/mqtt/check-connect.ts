/** Whether a CONNECT packet is one that may be answered at all. */
import type { IConnectPacket } from 'mqtt-packet'
import type { PacketReader } from './packet-reader.ts'
import { isMqttString } from './read-packet.ts'
import { Reason, type ReasonCode } from './reason-codes.ts'
import { isTopicName } from './topics.ts'

const MAX_CLIENT_ID_CHARS = 256

/** Looks at protocol name and level before anything else is parsed: other levels lay out the rest differently. */
export function protocolLevel({ bytes, start, end }: PacketReader): number | 'unknown' {
  const is = (name: string) =>
    end - start > name.length + 2 &&
    bytes.toString('latin1', start, start + name.length + 2) === `\0${String.fromCharCode(name.length)}${name}`
  if (is('MQTT')) return bytes[start + 6]!
  if (is('MQIsdp')) return bytes[start + 8]!
  return 'unknown'
}

/** What is wrong with CONNECT, or `Reason.success`. */
export function faultOf(packet: IConnectPacket, level: 4 | 5): ReasonCode {
  const { will, clientId, username, password, properties = {} } = packet
  if (!isMqttString(clientId) || !isMqttString(username ?? '')) return Reason.malformedPacket
  if (will && (((will.qos ?? 0) as number) > 2 || !isMqttString(will.topic))) return Reason.malformedPacket
  // mqtt-packet gathers a property that comes twice into an array, and reads -1 past the end.
  for (const [name, value] of [...Object.entries(properties), ...Object.entries(will?.properties ?? {})])
    if (name !== 'userProperties' && (Array.isArray(value) || value === -1 || value === null))
      return Reason.protocolError
  if (properties.receiveMaximum === 0 || properties.maximumPacketSize === 0) return Reason.protocolError
  if (properties.authenticationMethod !== undefined) return Reason.badAuthenticationMethod
  if (level === 4 && password !== undefined && username === undefined) return Reason.malformedPacket
  if (clientId.length > MAX_CLIENT_ID_CHARS) return Reason.clientIdInvalid
  if (level === 4 && clientId === '' && !packet.clean) return Reason.clientIdInvalid
  if (will && !isTopicName(will.topic)) return Reason.topicNameInvalid
  return Reason.success
}
