/**
 * PUBLISH from packet to `accept`. What becomes of it is told in acknowledge-flow: an acknowledgement leaves only after `accept` has
 * resolved, in the order of the publishes, and never after a failed commit.
 */
import type { Frame, Receipt } from '../door.ts'
import { accepted, refused, SUCCESS } from './acceptance.ts'
import { enterWindow, leaveWindow, lineUp } from './acknowledge-flow.ts'
import type { Client } from './client.ts'
import type { Connection } from './connection.ts'
import { handleRepeated, receiveOnce } from './qos2-flow.ts'
import { isMqttString } from './read-packet.ts'
import { PublishView, readPublish } from './read-publish.ts'
import { Reason } from './reason-codes.ts'
import type { Acceptance } from './session.ts'
import { answerAttributesRequest, isAttributesRequest } from './thingsboard.ts'
import { formatOfContentType, isTopicName, type Route, type Unrouted } from './topics.ts'

const view = new PublishView()

/** Unreleased QoS 2 identifiers that a 3.1.1 client may pile up, in windows: it has no receive maximum to keep to. */
const UNRELEASED_WINDOWS = 8

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
  const most = connection.state.limits.receiveMaximum
  if (client.version === 5 && unfinished > most) return connection.close('receive-maximum')
  if (qos === 2 && client.session.received.has(packetId)) return handleRepeated(connection, client, packetId)
  if (qos === 2 && client.session.received.size >= most * UNRELEASED_WINDOWS) return connection.close('receive-maximum')
  const outcome = submit(connection, client, topic, receivedAt)
  if (outcome === null) return
  enterWindow(connection, client)
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
  // Kept for a person in any case. A 5.0 client is told besides; 3.1.1 cannot say no, and a client that is sent away comes back with
  // the same packet, so it is acknowledged.
  const answer: Acceptance =
    client.version === 4 ? SUCCESS : { reason: Reason.notAuthorized, text: client.wantsReasons ? message : '' }
  const frame = frameOf(connection, client, topic, receivedAt, { kind: 'telemetry', format: null })
  const told = view.qos > 0
  return host.setAside({ frame, reason: why, message }).then(
    () => {
      counts.published('set-aside')
      return answer
    },
    (error) => refused(connection, client, error, told),
  )
}
