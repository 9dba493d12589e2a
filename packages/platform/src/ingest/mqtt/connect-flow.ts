/** CONNECT to CONNACK: who it is, whether there is room, which session it goes on with. */
import type { IConnackPacket, IConnectPacket } from 'mqtt-packet'
import type { DeviceIdentity } from '../door.ts'
import { Block, type Client, type Connection } from './connection.ts'
import type { OpenedSession } from './host.ts'
import type { Will } from './last-will.ts'
import type { PacketReader } from './packet-reader.ts'
import { isMqttString, readPacket } from './read-packet.ts'
import { Reason, type ReasonCode, returnCode } from './reason-codes.ts'
import { Session, sessionKey } from './session.ts'
import type { SessionKey } from './session-store.ts'
import { resumeSettings } from './settings-flow.ts'
import { DeviceTopics, isTopicName } from './topics.ts'
import { writePacket } from './write-packet.ts'

const MAX_CLIENT_ID_CHARS = 256

/** Handles the first packet of a connection, which `reader` has just found. */
export function openClient(connection: Connection) {
  const { reader, state } = connection
  connection.phase = 'opening'
  connection.block(Block.opening)
  const level = protocolLevel(reader)
  if (level === 'unknown') return connection.close('malformed')
  if (level !== 4 && level !== 5) return refuse(connection, level > 5 ? 5 : 4, Reason.unsupportedVersion)
  const packet = readPacket(reader, level)
  if (packet?.cmd !== 'connect') return connection.close('malformed')
  const fault = faultOf(packet, level)
  if (fault !== Reason.success) return refuse(connection, level, fault)
  const room = roomFor(connection)
  if (room !== Reason.success) return refuse(connection, level, room)
  const turn = state.gate.enter()
  if (!turn) return refuse(connection, level, Reason.serverBusy)
  connection.opening = turn
    .then(() => open(connection, packet, level))
    .catch((error: unknown) => {
      state.log.warn({ err: error }, 'a device could not be let in; it is told to try again')
      refuse(connection, level, Reason.serverUnavailable)
    })
    .finally(() => state.gate.leave())
}

/** Looks at protocol name and level before anything else is parsed: other levels lay out the rest differently. */
function protocolLevel({ bytes, start, end }: PacketReader): number | 'unknown' {
  const is = (name: string) =>
    end - start > name.length + 2 &&
    bytes.toString('latin1', start, start + name.length + 2) === `\0${String.fromCharCode(name.length)}${name}`
  if (is('MQTT')) return bytes[start + 6]!
  if (is('MQIsdp')) return bytes[start + 8]!
  return 'unknown'
}

function faultOf(packet: IConnectPacket, level: 4 | 5): ReasonCode {
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

function roomFor({ state }: Connection): ReasonCode {
  if (state.closing) return Reason.serverUnavailable
  if (state.connections.size > state.limits.maxConnections) return Reason.serverBusy
  switch (state.host.refusal()) {
    case 'storage-low':
      return Reason.quotaExceeded
    case 'log-overloaded':
      return Reason.serverBusy
    case 'log-closed':
      return Reason.serverUnavailable
    default:
      return Reason.success
  }
}

function refuse(connection: Connection, version: 4 | 5, reason: ReasonCode) {
  if (connection.phase !== 'opening') return
  connection.state.counts.connected(`refused-0x${reason.toString(16)}`)
  connection.send(writeConnack(version, reason, false))
  connection.close('refused')
}

function writeConnack(
  version: 4 | 5,
  reason: ReasonCode,
  sessionPresent: boolean,
  properties: IConnackPacket['properties'] = {},
) {
  return version === 5
    ? writePacket({ cmd: 'connack', reasonCode: reason, sessionPresent, properties }, 5)
    : writePacket({ cmd: 'connack', returnCode: returnCode(reason), sessionPresent }, 4)
}

async function open(connection: Connection, packet: IConnectPacket, version: 4 | 5): Promise<void> {
  const { state } = connection
  if (connection.phase !== 'opening') return
  const clientId = packet.clientId === '' ? state.ids.uuid() : packet.clientId
  const verdict = await identify(connection, packet, clientId)
  if (connection.phase !== 'opening') return
  if ('refused' in verdict) return refuse(connection, version, reasons[verdict.refused])
  const { device } = verdict
  const key = sessionKey(device, clientId)
  const before = state.sessions.occupy(key, connection)
  try {
    before?.close('taken-over')
    makeRoomForDevice(connection, device)
    connection.belongTo(device)
    // One at a time: the host hears of one connection's end before the next one's begin.
    await before?.opening
    const { session, present } = await startSession(connection, key, device, packet, version)
    const opened: OpenedSession = {
      id: state.ids.uuid(),
      device,
      door: connection.door,
      protocol: version === 5 ? '5.0' : '3.1.1',
      persistent: session.persistent,
      resumed: present,
      openedAt: state.clock.now(),
    }
    if (connection.phase !== 'opening') return
    await state.host.opened(opened)
    if (connection.phase !== 'opening') return state.host.closed(opened, 'socket-closed')
    connection.client = makeClient(connection, packet, version, session, opened, verdict.format)
    welcome(connection, connection.client, packet, clientId, present)
  } finally {
    if (!connection.client) state.sessions.vacate(key, connection, state.clock.now())
  }
}

const reasons = {
  'bad-credentials': Reason.badCredentials,
  'not-authorized': Reason.notAuthorized,
  unavailable: Reason.serverUnavailable,
} as const

function identify(connection: Connection, packet: IConnectPacket, clientId: string) {
  const { certificate } = connection
  return connection.state.host.authenticate({
    door: connection.door,
    clientId,
    ...(packet.username === undefined ? {} : { username: packet.username }),
    ...(packet.password === undefined ? {} : { password: packet.password }),
    ...(certificate === undefined ? {} : { certificate }),
    remoteAddress: connection.socket.remoteAddress ?? '',
  })
}

function makeRoomForDevice({ state }: Connection, device: DeviceIdentity) {
  const peers = state.byDevice.get(device.device)
  if (!peers || peers.size < state.limits.maxPerDevice) return
  const [oldest] = peers
  oldest?.close('too-many-of-device')
}

async function startSession(
  connection: Connection,
  key: SessionKey,
  device: DeviceIdentity,
  packet: IConnectPacket,
  version: 4 | 5,
): Promise<{ session: Session; present: boolean }> {
  const { sessions, store, clock, wills, limits } = connection.state
  const clean = packet.clean ?? false
  wills.returned(key, clean, clock.now())
  let session = clean ? null : sessions.living(key)
  let present = session !== null
  if (!session) {
    session = new Session(key, device)
    if (clean) await store.forget(key)
    else {
      const state = await store.load(key, clock.now())
      if (state) session.restore(state)
      present = state !== null
    }
    sessions.begin(session)
  }
  const asked =
    version === 5 ? (packet.properties?.sessionExpiryInterval ?? 0) : clean ? 0 : limits.maxSessionExpirySeconds
  const wasKept = present && asked === 0
  session.expirySeconds = Math.min(asked, limits.maxSessionExpirySeconds)
  // Stored before CONNACK, so that "session present" is true after a crash as well, and what is now to end with its connection is not.
  if (wasKept) await store.forget(key)
  else await session.save(store, clock.now())
  return { session, present }
}

function makeClient(
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
    will: packet.will ? makeWill(connection.door, device, topics, packet.will) : null,
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

function welcome(connection: Connection, client: Client, packet: IConnectPacket, clientId: string, present: boolean) {
  const { state, reader } = connection
  const { limits } = state
  const keepAlive = client.silenceMs / 1_500
  const expiry = client.session.expirySeconds
  const properties = {
    receiveMaximum: limits.receiveMaximum,
    maximumPacketSize: limits.maxPacketBytes,
    topicAliasMaximum: limits.topicAliasMaximum,
    sharedSubscriptionAvailable: false,
    ...(expiry === (packet.properties?.sessionExpiryInterval ?? 0) ? {} : { sessionExpiryInterval: expiry }),
    ...(keepAlive === packet.keepalive ? {} : { serverKeepAlive: keepAlive }),
    ...(clientId === packet.clientId ? {} : { assignedClientIdentifier: clientId }),
  }
  state.counts.connections += 1
  state.counts.connected(present ? 'resumed' : 'accepted')
  connection.phase = 'open'
  reader.maxBytes = limits.maxPacketBytes
  connection.send(writeConnack(client.version, Reason.success, present, properties))
  resumeSettings(connection, client)
  connection.unblock(Block.opening)
}
