/** SUBSCRIBE and UNSUBSCRIBE. A device may hear its own settings and nothing else: this is a door, not a broker. */
import type { ISubscribePacket, ISubscription, IUnsubscribePacket } from 'mqtt-packet'
import type { Client } from './client.ts'
import type { Connection } from './connection.ts'
import { isMqttString } from './read-packet.ts'
import { Reason } from './reason-codes.ts'
import type { Subscription } from './session.ts'
import { offerSettings } from './settings-flow.ts'
import { writePacket } from './write-packet.ts'

/** 3.1.1 knows one refusal (3.9.3). */
const FAILURE_311 = 0x80

export function handleSubscribe(connection: Connection, client: Client, packet: ISubscribePacket) {
  if (!packet.messageId || packet.messageId < 0) return connection.close('protocol-error')
  const identifier = packet.properties?.subscriptionIdentifier ?? null
  if (identifier !== null && (Array.isArray(identifier) || identifier === 0)) return connection.close('protocol-error')
  if (!packet.subscriptions.every(({ topic }) => isMqttString(topic))) return connection.close('malformed')
  const begun: Subscription[] = []
  const granted = packet.subscriptions.map((asked) => grant(client, asked, identifier, begun))
  const { messageId } = packet
  saveThen(connection, client, () => {
    connection.send(writePacket({ cmd: 'suback', messageId, granted }, client.version))
    for (const subscription of begun) offerSettings(connection, client, subscription, true)
  })
}

/** @param begun gets the subscriptions that are to be sent what is retained */
function grant(client: Client, asked: ISubscription, identifier: number | null, begun: Subscription[]): number {
  const what = client.topics.subscription(asked.topic)
  if (what !== 'settings' && what !== 'silent') return client.version === 5 ? refusals[what] : FAILURE_311
  const { subscriptions } = client.session
  const before = subscriptions.get(asked.topic)
  const qos = asked.qos > 0 ? 1 : 0
  const subscription: Subscription = {
    topic: asked.topic,
    qos,
    retainAsPublished: asked.rap === true,
    identifier,
    silent: what === 'silent',
    pending: before?.pending ?? null,
    reached: before?.reached ?? null,
    stale: false,
  }
  subscriptions.set(asked.topic, subscription)
  // Retain handling (MQTT 5.0, 3.8.3.1): 0 always, 1 only when the subscription is new, 2 never.
  const handling = asked.rh ?? 0
  if (!subscription.silent && (handling === 0 || (handling === 1 && !before))) begun.push(subscription)
  return qos
}

const refusals = {
  'not-authorized': Reason.notAuthorized,
  shared: Reason.sharedSubscriptionsNotSupported,
  invalid: Reason.topicFilterInvalid,
} as const

export function handleUnsubscribe(connection: Connection, client: Client, packet: IUnsubscribePacket) {
  if (!packet.messageId || packet.messageId < 0) return connection.close('protocol-error')
  const { subscriptions } = client.session
  const granted = packet.unsubscriptions.map((topic) =>
    subscriptions.delete(topic) ? Reason.success : Reason.noSubscriptionExisted,
  )
  const { messageId } = packet
  saveThen(connection, client, () => {
    connection.send(writePacket({ cmd: 'unsuback', messageId, granted }, client.version))
  })
}

/** Acknowledged only when stored: a device with a persistent session does not subscribe again after our crash. */
function saveThen(connection: Connection, client: Client, acknowledge: () => void) {
  const { store, clock, log } = connection.state
  if (!client.session.persistent) return acknowledge()
  client.session.save(store, clock.now()).then(
    () => {
      if (connection.phase === 'open') acknowledge()
    },
    (error: unknown) => {
      log.warn(
        { err: error, device: client.device.device },
        'a subscription could not be stored; the device tries again',
      )
      connection.close('accept-failed')
    },
  )
}
