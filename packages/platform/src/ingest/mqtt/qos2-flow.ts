/** QoS 2: a publish is handed on once between its first PUBLISH and its PUBREL, whatever breaks in between. */
import { SUCCESS } from './acceptance.ts'
import { enterWindow, lineUp } from './acknowledge-flow.ts'
import type { Client } from './client.ts'
import type { Connection } from './connection.ts'
import { Reason } from './reason-codes.ts'
import type { Acceptance } from './session.ts'
import { PUBCOMP, writeAck } from './write-packet.ts'

/** Accepts a QoS 2 publish once: its packet identifier is remembered, durably for a persistent session, before PUBREC leaves. */
export async function receiveOnce(
  connection: Connection,
  client: Client,
  packetId: number,
  submitted: Promise<Acceptance>,
): Promise<Acceptance> {
  const { session } = client
  const { store, clock, sessions, log } = connection.state
  session.accepting += 1
  const outcome = (async () => {
    const acceptance = await submitted
    if (acceptance === null || acceptance.reason >= 0x80) {
      session.received.delete(packetId)
      return acceptance
    }
    session.received.set(packetId, { accepted: true })
    try {
      await session.save(store, clock.now())
      return acceptance
    } catch (error) {
      log.warn({ err: error, device: client.device.device }, 'a QoS 2 packet identifier could not be stored; no PUBREC')
      return null
    }
  })()
  session.received.set(packetId, { accepted: false, outcome })
  const acceptance = await outcome
  session.accepting -= 1
  sessions.settle(session.key)
  return acceptance
}

/** The same QoS 2 packet identifier again, before PUBREL: not accepted twice, answered with what became of the first. */
export function handleRepeated(connection: Connection, client: Client, packetId: number) {
  const known = client.session.received.get(packetId)!
  connection.state.counts.published('duplicate')
  enterWindow(connection, client)
  lineUp(connection, client, packetId, 2, known.accepted ? Promise.resolve(SUCCESS) : known.outcome)
}

export function handleRelease(connection: Connection, client: Client, packetId: number) {
  const { session, version } = client
  const known = session.received.get(packetId)
  if (!known) {
    // A client that had PUBREC and lost PUBCOMP asks again, perhaps of a server that forgot: it must be able to go on.
    const reason = version === 5 ? Reason.packetIdNotFound : Reason.success
    connection.unfinishedQos2?.delete(packetId)
    return connection.send(writeAck(PUBCOMP, packetId, version, reason, ''))
  }
  if (!known.accepted) return connection.close('protocol-error')
  session.received.delete(packetId)
  const { store, clock, log } = connection.state
  const complete = () => {
    connection.unfinishedQos2?.delete(packetId)
    if (connection.phase === 'open') connection.send(writeAck(PUBCOMP, packetId, version, Reason.success, ''))
  }
  if (!session.persistent) return complete()
  // PUBCOMP frees the identifier for a new message: were it still stored after a crash, that message would be taken for the old.
  session.save(store, clock.now()).then(complete, (error: unknown) => {
    session.received.set(packetId, known)
    log.warn({ err: error, device: client.device.device }, 'a QoS 2 release could not be stored; no PUBCOMP')
    connection.close('accept-failed')
  })
}
