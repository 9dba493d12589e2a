/**
 * PUBLISH from packet to acknowledgement. The acknowledgement is the heart of the product: it leaves only after `accept` has
 * resolved, in the order of the publishes, and never after a failed commit.
 */
import { Failure } from '@careloop/contract'
import type { Frame, Receipt, SetAside } from '../door.ts'
import { Block, type Client, type Connection } from './connection.ts'
import { isMqttString } from './read-packet.ts'
import { PublishView, readPublish } from './read-publish.ts'
import { Reason } from './reason-codes.ts'
import type { Acceptance } from './session.ts'
import { answerAttributesRequest, isAttributesRequest } from './thingsboard.ts'
import { formatOfContentType, isTopicName, type Route, type Unrouted } from './topics.ts'
import { PUBACK, PUBCOMP, PUBREC, writeAck } from './write-packet.ts'

/** A publish of QoS 1 or 2 that waits for its acknowledgement. */
export interface Pending {
  readonly packetId: number
  readonly qos: 1 | 2
  settled: boolean
  acceptance: Acceptance
  next: Pending | null
}

const view = new PublishView()
const SUCCESS: Acceptance = { reason: Reason.success, text: '' }

export function handlePublish(connection: Connection, client: Client, receivedAt: number) {
  const { reader } = connection
  const fault = readPublish(reader, client.version, view)
  if (fault !== Reason.success) return connection.close(fault === Reason.protocolError ? 'protocol-error' : 'malformed')
  const topic = topicOf(connection, client)
  if (topic === null) return
  const { qos, packetId } = view
  if (qos === 1) connection.unfinishedQos1 += 1
  else if (qos === 2) {
    connection.unfinishedQos2 ??= new Set()
    connection.unfinishedQos2.add(packetId)
  }
  const unfinished = connection.unfinishedQos1 + (connection.unfinishedQos2?.size ?? 0)
  // A 3.1.1 client knows no such limit: its socket is simply not read on (below).
  if (client.version === 5 && unfinished > connection.state.limits.receiveMaximum)
    return connection.close('receive-maximum')

  if (view.qos === 2 && client.session.received.has(view.packetId))
    return handleRepeated(connection, client, view.packetId)
  const outcome = submit(connection, client, topic, receivedAt)
  if (outcome === null) return
  connection.inFlight += 1
  if (connection.inFlight >= client.window) connection.block(Block.window)
  if (qos === 0) void outcome.then(() => leaveWindow(connection, client))
  else if (qos === 1) lineUp(connection, client, packetId, 1, outcome)
  else lineUp(connection, client, packetId, 2, receiveOnce(connection, client, packetId, outcome))
}

/** The topic by name or alias; null when the connection was closed over it. */
function topicOf(connection: Connection, client: Client): string | null {
  const { topicAlias } = view
  // Own topics are ASCII; others are decoded again, properly, when they turn out not to match.
  const topic = connection.reader.bytes.toString('latin1', view.topicStart, view.topicEnd)
  if (topicAlias === 0) return topic
  if (topicAlias > connection.state.limits.topicAliasMaximum) {
    connection.close('topic-alias')
    return null
  }
  client.aliases ??= []
  if (topic !== '') {
    client.aliases[topicAlias] = topic
    return topic
  }
  const known = client.aliases[topicAlias]
  if (known === undefined) connection.close('protocol-error')
  return known ?? null
}

/** Hands the publish to whoever is to have it. @returns null when the connection was closed over it; never rejects */
function submit(connection: Connection, client: Client, topic: string, receivedAt: number): Promise<Acceptance> | null {
  const route = client.topics.route(topic)
  if (typeof route === 'string') return submitUnrouted(connection, client, topic, receivedAt, route)
  const frame = frameOf(connection, client, topic, receivedAt, route)
  const told = view.qos > 0
  let receipt: Promise<Receipt>
  try {
    receipt = connection.state.host.accept(frame)
  } catch (error) {
    receipt = Promise.reject(error)
  }
  return receipt.then(
    (given) => accepted(connection, client, given),
    (error) => refused(connection, client, error, told),
  )
}

function frameOf(connection: Connection, client: Client, topic: string, receivedAt: number, route: Route): Frame {
  const kind = route.kind
  let format = route.format
  if (format === null && view.contentType !== null) format = formatOfContentType(view.contentType)
  const bytes = connection.reader.bytes.subarray(view.payloadStart, view.payloadEnd)
  const base = {
    kind,
    device: client.device,
    door: connection.door,
    format: format ?? client.format,
    bytes,
    receivedAt,
    topic,
  }
  return view.qos === 0 ? base : { ...base, delivery: { packetId: view.packetId, dup: view.dup } }
}

function submitUnrouted(
  connection: Connection,
  client: Client,
  latin1: string,
  receivedAt: number,
  why: Unrouted,
): Promise<Acceptance> | null {
  const topic = Buffer.from(latin1, 'latin1').toString('utf8')
  if (!isTopicName(topic) || !isMqttString(topic)) {
    connection.close('malformed')
    return null
  }
  const { host, counts } = connection.state
  if (why === 'not-allowed' && isAttributesRequest(topic)) {
    const asked = connection.reader.bytes.subarray(view.payloadStart, view.payloadEnd)
    return answerAttributesRequest(connection, client, topic, asked).then(() => SUCCESS)
  }
  const message =
    why === 'wrong-device'
      ? 'Published on a topic of another device. Use devices/{own id}/telemetry or v1/devices/me/telemetry.'
      : 'Nobody reads this topic. Use devices/{own id}/telemetry, attributes or status, or v1/devices/me/telemetry.'
  if (client.version === 5 && view.qos > 0) {
    counts.published('not-authorized')
    return Promise.resolve({ reason: Reason.notAuthorized, text: client.wantsReasons ? message : '' })
  }
  // 3.1.1 cannot say no, and a client that is sent away comes back with the same packet: it is acknowledged, and kept for a person.
  const frame = frameOf(connection, client, topic, receivedAt, { kind: 'telemetry', format: null })
  const told = view.qos > 0
  return host.setAside({ frame, reason: why, message }).then(
    () => {
      counts.published('set-aside')
      return SUCCESS
    },
    (error) => refused(connection, client, error, told),
  )
}

function accepted(connection: Connection, client: Client, receipt: Receipt): Acceptance {
  connection.state.counts.published(receipt.outcome)
  if (receipt.outcome === 'duplicate' || client.version === 4) return SUCCESS
  if (receipt.outcome === 'stored' && receipt.quarantined.length === 0) return SUCCESS
  const text = client.wantsReasons ? explain(receipt.quarantined) : ''
  return { reason: receipt.outcome === 'quarantined' ? Reason.payloadFormatInvalid : Reason.success, text }
}

function explain(quarantined: readonly SetAside[]): string {
  return quarantined
    .map(({ reason, pointer, message }) => `${reason} at ${pointer || 'the whole'}: ${message}`)
    .join(' ')
}

function refused(connection: Connection, client: Client, error: unknown, told: boolean): Acceptance {
  const { counts, log } = connection.state
  const expected = error instanceof Failure && error.kind.disposition === 'retry'
  if (!expected) log.error({ err: error, device: client.device.device }, 'a publish could not be accepted')
  counts.published(!expected ? 'failed' : told ? 'refused' : 'refused-qos0')
  // 5.0: the client learns that it was not stored. 3.1.1 has no such answer: silence, and the connection ends, so that the client
  // sends it again. The same when nobody knows whether it was stored, and when the log is closed: a no would be a guess.
  if (!expected || client.version === 4 || error.code === 'log-closed') return null
  return { reason: Reason.quotaExceeded, text: client.wantsReasons ? error.code : '' }
}

/** Puts a publish in line for its acknowledgement. */
function lineUp(connection: Connection, client: Client, packetId: number, qos: 1 | 2, outcome: Promise<Acceptance>) {
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

function leaveWindow(connection: Connection, client: Client) {
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

// ---------------------------------------------------------------- QoS 2

/** Accepts a QoS 2 publish once: its packet identifier is remembered, durably for a persistent session, before PUBREC leaves. */
async function receiveOnce(
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
function handleRepeated(connection: Connection, client: Client, packetId: number) {
  const known = client.session.received.get(packetId)!
  connection.state.counts.published('duplicate')
  connection.inFlight += 1
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
