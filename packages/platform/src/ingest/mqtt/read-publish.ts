/**
 * Reads PUBLISH by hand: the one packet that comes twenty thousand times a second. Strict within the packet's bounds, and
 * allocates nothing: the result is written into an object that the connection reuses.
 */
import type { PacketReader } from './packet-reader.ts'
import { Reason, type ReasonCode } from './reason-codes.ts'

export class PublishView {
  qos = 0
  dup = false
  topicStart = 0
  topicEnd = 0
  packetId = 0
  /** 0 = none */
  topicAlias = 0
  contentType: string | null = null
  payloadStart = 0
  payloadEnd = 0
}

/** @returns `Reason.success`, or why the packet must not be read (malformed packet, protocol error). */
export function readPublish(reader: PacketReader, version: 4 | 5, view: PublishView): ReasonCode {
  const { bytes, end, first } = reader
  let at = reader.start
  view.qos = (first >> 1) & 3
  view.dup = (first & 8) !== 0
  view.topicAlias = 0
  view.contentType = null
  view.packetId = 0
  if (view.qos === 3 || (view.qos === 0 && view.dup)) return Reason.malformedPacket
  if (at + 2 > end) return Reason.malformedPacket
  const topicLength = (bytes[at]! << 8) | bytes[at + 1]!
  view.topicStart = at + 2
  at = view.topicEnd = view.topicStart + topicLength
  if (at > end) return Reason.malformedPacket
  if (view.qos > 0) {
    if (at + 2 > end) return Reason.malformedPacket
    view.packetId = (bytes[at]! << 8) | bytes[at + 1]!
    at += 2
    // Packet identifiers are non-zero [MQTT-2.2.1-3].
    if (view.packetId === 0) return Reason.protocolError
  }
  if (version === 5) {
    if (at >= end) return Reason.malformedPacket
    // Most devices send no property at all: one zero byte.
    if (bytes[at] === 0) at += 1
    else {
      const past = readProperties(bytes, at, end, view)
      if (past < 0) return past === MALFORMED ? Reason.malformedPacket : Reason.protocolError
      at = past
    }
  }
  if (topicLength === 0 && view.topicAlias === 0) return Reason.protocolError
  view.payloadStart = at
  view.payloadEnd = end
  return Reason.success
}

const MALFORMED = -1
const PROTOCOL_ERROR = -2

/** @returns the position after the properties, or MALFORMED or PROTOCOL_ERROR */
function readProperties(bytes: Buffer, start: number, end: number, view: PublishView): number {
  let at = start
  let length = 0
  for (let scale = 1; ; scale *= 128) {
    if (at >= end || at - start === 4) return MALFORMED
    const digit = bytes[at++]!
    length += (digit & 0x7f) * scale
    if (digit < 0x80) break
  }
  const past = at + length
  if (past > end) return MALFORMED
  let seen = 0
  while (at < past) {
    const id = bytes[at++]!
    const size = sizeOfProperty(id, bytes, at, past)
    if (size < 0) return size
    // Only user properties may come twice (MQTT 5.0, 3.3.2.3).
    if (id !== 0x26) {
      const bit = 2 ** (id % 31)
      if ((seen & bit) !== 0) return PROTOCOL_ERROR
      seen |= bit
    }
    if (id === 0x03) view.contentType = bytes.toString('utf8', at + 2, at + size)
    else if (id === 0x23) {
      view.topicAlias = (bytes[at]! << 8) | bytes[at + 1]!
      if (view.topicAlias === 0) return PROTOCOL_ERROR
    } else if (id === 0x01 && bytes[at]! > 1) return PROTOCOL_ERROR
    at += size
  }
  return past
}

/** Bytes of one property's value, or MALFORMED or PROTOCOL_ERROR. */
function sizeOfProperty(id: number, bytes: Buffer, at: number, past: number): number {
  let size: number
  switch (id) {
    case 0x01: // payload format indicator
      size = 1
      break
    case 0x02: // message expiry interval
      size = 4
      break
    case 0x03: // content type
    case 0x08: // response topic
    case 0x09: // correlation data
      size = sizeOfString(bytes, at, past)
      break
    case 0x23: // topic alias
      size = 2
      break
    case 0x26: {
      // user property: two strings
      const name = sizeOfString(bytes, at, past)
      if (name < 0) return MALFORMED
      const value = sizeOfString(bytes, at + name, past)
      if (value < 0) return MALFORMED
      size = name + value
      break
    }
    case 0x0b: // a client must not send a subscription identifier [MQTT-3.3.4-6]
      return PROTOCOL_ERROR
    default:
      return MALFORMED
  }
  return size < 0 || at + size > past ? MALFORMED : size
}

function sizeOfString(bytes: Buffer, at: number, past: number): number {
  if (at + 2 > past) return MALFORMED
  return 2 + ((bytes[at]! << 8) | bytes[at + 1]!)
}
