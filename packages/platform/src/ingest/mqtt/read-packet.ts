/** Reads the packets that are rare: by mqtt-packet, given exactly one whole packet, so that it cannot read past its end. */
import mqttPacket, { type IPacket, type Packet } from 'mqtt-packet'
import type { PacketReader } from './packet-reader.ts'

type RareParser = ReturnType<typeof mqttPacket.parser>

// mqtt-packet is synchronous and keeps nothing between whole packets, so one parser a version serves all connections.
const parsers = new Map<4 | 5, { parser: RareParser; found: Packet | null; failed: boolean }>()

/**
 * @param version of the connection; CONNECT tells its own
 * @returns null when the packet is malformed
 */
export function readPacket(reader: PacketReader, version: 4 | 5): Packet | null {
  // Kept apart from the reader's buffer: mqtt-packet hands out slices of what it is given, and a will outlives the chunk.
  const whole = Buffer.from(reader.bytes.subarray(reader.packetStart, reader.end))
  const ground = reader.first === 0x10 ? makeParser(4) : (parsers.get(version) ?? makeParser(version))
  ground.found = null
  ground.failed = false
  try {
    ground.parser.parse(whole)
  } catch {
    ground.failed = true
  }
  if (ground.failed || !ground.found) {
    // A parser that threw is in an unknown state.
    parsers.delete(version)
    return null
  }
  return ground.found
}

function makeParser(version: 4 | 5) {
  const parser = mqttPacket.parser({ protocolVersion: version })
  const ground: { parser: RareParser; found: Packet | null; failed: boolean } = { parser, found: null, failed: false }
  parser.on('packet', (packet: Packet) => {
    ground.found = packet
  })
  parser.on('error', () => {
    ground.failed = true
  })
  parsers.set(version, ground)
  return ground
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP: packet identifier and reason. */
export class AckView implements IPacket {
  cmd = 'puback' as const
  packetId = 0
  reason = 0
}

/** @returns false when the packet is malformed */
export function readAck(reader: PacketReader, version: 4 | 5, view: AckView): boolean {
  const { bytes, start, end } = reader
  const length = end - start
  if (length < 2 || (version === 4 && length !== 2)) return false
  view.packetId = (bytes[start]! << 8) | bytes[start + 1]!
  view.reason = length > 2 ? bytes[start + 2]! : 0
  return view.packetId !== 0
}

/** Strings of MQTT hold no U+0000 [MQTT-1.5.4-2]; U+FFFD stands where the bytes were no UTF-8. */
export function isMqttString(text: string): boolean {
  return !text.includes('\u0000') && !text.includes('\ufffd')
}
