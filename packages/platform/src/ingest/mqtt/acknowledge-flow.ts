/** Acknowledgements in line: oldest first, each only when its publish is durable. */
import type { Client } from './client.ts'
import { Block, type Connection } from './connection.ts'
import type { Acceptance } from './session.ts'
import { PUBACK, PUBREC, writeAck } from './write-packet.ts'

/** A publish of QoS 1 or 2 that waits for its acknowledgement. */
export interface Pending {
  readonly packetId: number
  readonly qos: 1 | 2
  settled: boolean
  acceptance: Acceptance
  next: Pending | null
}

/** Puts a publish in line for its acknowledgement. */
export function lineUp(
  connection: Connection,
  client: Client,
  packetId: number,
  qos: 1 | 2,
  outcome: Promise<Acceptance>,
) {
  const pending: Pending = { packetId, qos, settled: false, acceptance: null, next: null }
  if (connection.tail) connection.tail.next = pending
  else connection.head = pending
  connection.tail = pending
  void outcome.then((acceptance) => {
    pending.settled = true
    pending.acceptance = acceptance
    if (connection.head === pending) acknowledge(connection, client)
  })
}

/** Sends the acknowledgements that are due, oldest first, up to the first publish whose outcome is not known. */
function acknowledge(connection: Connection, client: Client) {
  while (connection.head?.settled && connection.phase === 'open') {
    const { packetId, qos, acceptance, next } = connection.head
    // Nothing behind a publish that failed is acknowledged: the client sends them all again, in order.
    if (acceptance === null) return holdAndClose(connection)
    connection.head = next
    if (next === null) connection.tail = null
    if (qos === 1) connection.unfinishedQos1 -= 1
    else if (acceptance.reason >= 0x80) connection.unfinishedQos2?.delete(packetId)
    connection.send(writeAck(qos === 1 ? PUBACK : PUBREC, packetId, client.version, acceptance.reason, acceptance.text))
    leaveWindow(connection, client)
  }
}

/** One more publish under way; at the client's window its socket is not read on. */
export function enterWindow(connection: Connection, client: Client) {
  connection.inFlight += 1
  if (connection.inFlight >= client.window) connection.block(Block.window)
}

export function leaveWindow(connection: Connection, client: Client) {
  connection.inFlight -= 1
  if (connection.phase !== 'open') return
  if (connection.inFlight * 2 <= client.window) connection.unblock(Block.window)
}

/** The socket is left unread for a while, then closed: a client that is closed at once comes back at once. */
function holdAndClose(connection: Connection) {
  const { clock, limits } = connection.state
  if ((connection.blocked & Block.overload) !== 0) return
  connection.block(Block.overload)
  connection.endAt = clock.now() + limits.overloadHoldMs
}
