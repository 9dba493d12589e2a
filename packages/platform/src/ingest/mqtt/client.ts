/** What is known of a client once CONNECT has been accepted, and how CONNECT says it. */
import type { FrameFormat } from '@careloop/contract'
import type { IConnectPacket } from 'mqtt-packet'
import { allowances, Turns } from '../device-allowance.ts'
import type { DeviceIdentity } from '../door.ts'
import type { Connection } from './connection.ts'
import type { DeviceSettings, OpenedSession } from './host.ts'
import type { Will } from './last-will.ts'
import type { Session } from './session.ts'
import { DeviceTopics } from './topics.ts'

export interface Client {
  readonly version: 4 | 5
  readonly device: DeviceIdentity
  readonly format: FrameFormat
  readonly topics: DeviceTopics
  readonly session: Session
  readonly opened: OpenedSession
  /** Silence after which it is gone, ms: 1.5 times the keep-alive; 0 = never. */
  readonly silenceMs: number
  /** What the client takes (MQTT 5): unacknowledged publishes, bytes of a packet. */
  readonly receiveMaximum: number
  readonly maxPacketBytes: number
  /** It wants reason strings. */
  readonly wantsReasons: boolean
  /** Publishes being accepted before the socket is no longer read. */
  readonly window: number
  /** Messages that its class may bring. */
  readonly turns: Turns
  /** Since when it was held up at every look, clock time; 0 = it was not. */
  hurriesSince: number
  will: Will | null
  /** Settings as last read for attribute requests; null when they must be read (again). */
  settings: Promise<DeviceSettings | null> | null
  /** Topic of each alias that the client has set up. */
  aliases: (string | undefined)[] | null
}

export function makeClient(
  connection: Connection,
  packet: IConnectPacket,
  version: 4 | 5,
  session: Session,
  opened: OpenedSession,
  format: Client['format'],
): Client {
  const { limits } = connection.state
  const { device } = opened
  const topics = new DeviceTopics(device)
  const seconds = keepAliveSeconds(packet, version, limits.maxKeepAliveSeconds)
  return {
    version,
    device,
    format,
    topics,
    session,
    opened,
    silenceMs: seconds * 1_500,
    receiveMaximum: packet.properties?.receiveMaximum ?? 0xffff,
    maxPacketBytes: packet.properties?.maximumPacketSize ?? 0xffff_ffff,
    wantsReasons: version === 5 && packet.properties?.requestProblemInformation !== false && !isTiny(packet),
    // 5.0 holds itself to receive maximum for QoS 1 and 2; the window beyond it bounds its QoS 0.
    window: version === 5 ? limits.receiveMaximum * 2 : limits.receiveMaximum,
    turns: new Turns(allowances[device.classification], connection.state.clock.now()),
    hurriesSince: 0,
    will: packet.will ? makeWill(connection.door, device, topics, packet.will) : null,
    settings: null,
    aliases: null,
  }
}

/** A client that takes only small packets gets no reason strings (MQTT 5.0, 3.4.2.2.2). */
const isTiny = (packet: IConnectPacket) => (packet.properties?.maximumPacketSize ?? 0xffff) < 1_024

function keepAliveSeconds(packet: IConnectPacket, version: 4 | 5, most: number): number {
  const asked = packet.keepalive ?? 0
  return version === 5 && (asked === 0 || asked > most) ? most : asked
}

function makeWill(
  door: 'mqtt' | 'mqtts',
  device: DeviceIdentity,
  topics: DeviceTopics,
  will: NonNullable<IConnectPacket['will']>,
): Will {
  const bytes = typeof will.payload === 'string' ? Buffer.from(will.payload) : Buffer.from(will.payload)
  return { door, device, topics, topic: will.topic, bytes, delayMs: (will.properties?.willDelayInterval ?? 0) * 1_000 }
}
