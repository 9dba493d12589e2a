/** Packets down. Acknowledgements are written by hand (four bytes, most of all that is sent); the rest by mqtt-packet. */
import mqttPacket, { type Packet } from 'mqtt-packet'
import { Reason } from './reason-codes.ts'

export const PUBACK = 0x40
export const PUBREC = 0x50
export const PUBCOMP = 0x70

/** A reason string is cut here, so that an acknowledgement stays small. */
const MAX_REASON_CHARS = 200

export const PINGRESP = Buffer.from([0xd0, 0])

/**
 * @param type PUBACK, PUBREC or PUBCOMP
 * @param reason left out when 0 and for 3.1.1, which has none
 * @param text MQTT 5 reason string; '' for none
 */
export function writeAck(type: number, packetId: number, version: 4 | 5, reason: number, text: string): Buffer {
  if (version === 4 || (reason === Reason.success && text === '')) {
    const bytes = Buffer.allocUnsafe(4)
    bytes[0] = type
    bytes[1] = 2
    bytes[2] = packetId >> 8
    bytes[3] = packetId & 0xff
    return bytes
  }
  if (text === '') return Buffer.from([type, 3, packetId >> 8, packetId & 0xff, reason])
  const string = Buffer.from(text.slice(0, MAX_REASON_CHARS))
  const properties = 3 + string.length
  const body = Buffer.concat([
    Buffer.from([packetId >> 8, packetId & 0xff, reason]),
    variableByteInteger(properties),
    Buffer.from([0x1f, string.length >> 8, string.length & 0xff]),
    string,
  ])
  return Buffer.concat([Buffer.from([type]), variableByteInteger(body.length), body])
}

export function writePacket(packet: Packet, version: 4 | 5): Buffer {
  return mqttPacket.generate(packet, { protocolVersion: version })
}

function variableByteInteger(value: number): Buffer {
  const digits: number[] = []
  do {
    const rest = value >> 7
    digits.push((value & 0x7f) | (rest > 0 ? 0x80 : 0))
    value = rest
  } while (value > 0)
  return Buffer.from(digits)
}
