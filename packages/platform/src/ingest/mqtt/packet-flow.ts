/** What each packet of an open connection leads to. */
import type { Client } from './client.ts'
import { Block, type Connection } from './connection.ts'
import { handlePublish } from './publish-flow.ts'
import { handleRelease } from './qos2-flow.ts'
import { AckView, readAck, readPacket } from './read-packet.ts'
import { Reason } from './reason-codes.ts'
import { handleSettingsAck } from './settings-flow.ts'
import { handleSubscribe, handleUnsubscribe } from './subscribe-flow.ts'
import { PINGRESP } from './write-packet.ts'

const ack = new AckView()

/** @param now clock time of the chunk that the packet came with: when it was received */
export function dispatch(connection: Connection, client: Client, now: number) {
  const { reader } = connection
  const { first } = reader
  if (first >> 4 === 3) {
    handlePublish(connection, client, now)
    // It is handled all the same: what was read is never thrown away. The next one is read when there is a turn again.
    if (!client.turns.take(now)) connection.block(Block.hurry)
    return
  }
  switch (first) {
    case 0xc0: // PINGREQ
      if (reader.end !== reader.start) return connection.close('malformed')
      return connection.send(PINGRESP)
    case 0x40: // PUBACK
      if (!readAck(reader, client.version, ack)) return connection.close('malformed')
      return handleSettingsAck(connection, client, ack.packetId, ack.reason)
    case 0x62: // PUBREL
      if (!readAck(reader, client.version, ack)) return connection.close('malformed')
      return handleRelease(connection, client, ack.packetId)
    case 0x82: {
      const packet = readPacket(reader, client.version)
      if (packet?.cmd !== 'subscribe' || packet.subscriptions.length === 0) return connection.close('malformed')
      return handleSubscribe(connection, client, packet)
    }
    case 0xa2: {
      const packet = readPacket(reader, client.version)
      if (packet?.cmd !== 'unsubscribe' || packet.unsubscriptions.length === 0) return connection.close('malformed')
      return handleUnsubscribe(connection, client, packet)
    }
    case 0xe0:
      return handleDisconnect(connection, client)
    default:
      return connection.close(hasWrongFlags(first) ? 'malformed' : 'protocol-error')
  }
}

/** Types a client may send, with flags other than the reserved ones (MQTT 5.0, 2.1.3). The rest is never a client's to send. */
function hasWrongFlags(first: number): boolean {
  return [4, 6, 8, 10, 12, 14].includes(first >> 4)
}

function handleDisconnect(connection: Connection, client: Client) {
  const { reader } = connection
  if (client.version === 4 || reader.end === reader.start) return connection.close('client-left')
  const packet = readPacket(reader, client.version)
  if (packet?.cmd !== 'disconnect') return connection.close('malformed')
  const asked = packet.properties?.sessionExpiryInterval
  if (asked !== undefined) {
    // A session that was to end with its connection cannot be prolonged any more (MQTT 5.0, 3.14.2.2.2).
    if (typeof asked !== 'number' || asked < 0) return connection.close('malformed')
    if (asked > 0 && !client.session.persistent) return connection.close('protocol-error')
    if (asked === 0 && client.session.persistent) forgetSession(connection, client)
    client.session.expirySeconds = Math.min(asked, connection.state.limits.maxSessionExpirySeconds)
  }
  connection.close(packet.reasonCode === Reason.success ? 'client-left' : 'client-left-with-will')
}

function forgetSession(connection: Connection, client: Client) {
  const { log, store } = connection.state
  store.forget(client.session.key, client.session.owner).catch((error: unknown) => {
    log.warn(
      { err: error, device: client.device.device },
      'a session that its device ended is still stored; it ends by its time',
    )
  })
}
