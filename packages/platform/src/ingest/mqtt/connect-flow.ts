/** CONNECT to CONNACK: who it is, whether there is room, which session it goes on with. */
import type { IConnackPacket, IConnectPacket } from 'mqtt-packet'
import { allowances } from '../device-allowance.ts'
import type { DeviceIdentity } from '../door.ts'
import { faultOf, protocolLevel } from './check-connect.ts'
import { type Client, makeClient } from './client.ts'
import { Block, type Connection } from './connection.ts'
import type { OpenedSession } from './host.ts'
import { readPacket } from './read-packet.ts'
import { Reason, type ReasonCode, returnCode } from './reason-codes.ts'
import { sessionKey } from './session.ts'
import { resumeSettings } from './settings-flow.ts'
import { startSession } from './start-session.ts'
import { writePacket } from './write-packet.ts'

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
    if (!state.host.isGood(device.credential)) {
      // Revoked or expired while its session was being looked up.
      refuse(connection, version, Reason.notAuthorized)
      return state.host.closed(opened, 'revoked')
    }
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

function welcome(connection: Connection, client: Client, packet: IConnectPacket, clientId: string, present: boolean) {
  const { state, reader } = connection
  const { limits } = state
  const maxPacketBytes = Math.min(limits.maxPacketBytes, allowances[client.device.classification].maxMessageBytes)
  const keepAlive = client.silenceMs / 1_500
  const expiry = client.session.expirySeconds
  const properties = {
    receiveMaximum: limits.receiveMaximum,
    maximumPacketSize: maxPacketBytes,
    topicAliasMaximum: limits.topicAliasMaximum,
    sharedSubscriptionAvailable: false,
    ...(expiry === (packet.properties?.sessionExpiryInterval ?? 0) ? {} : { sessionExpiryInterval: expiry }),
    ...(keepAlive === packet.keepalive ? {} : { serverKeepAlive: keepAlive }),
    ...(clientId === packet.clientId ? {} : { assignedClientIdentifier: clientId }),
  }
  state.counts.connections += 1
  state.counts.connected(present ? 'resumed' : 'accepted')
  connection.phase = 'open'
  reader.maxBytes = maxPacketBytes
  connection.send(writeConnack(client.version, Reason.success, present, properties))
  resumeSettings(connection, client)
  connection.unblock(Block.opening)
}
