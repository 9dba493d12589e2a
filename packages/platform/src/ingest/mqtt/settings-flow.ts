/**
 * Settings down to a device: retained for it, QoS 1, one at a time, only the newest kept. A version that the device acknowledged is
 * not sent again while its session lives.
 */
import type { Client } from './client.ts'
import type { Connection } from './connection.ts'
import type { DeviceSettings } from './host.ts'
import type { Subscription } from './session.ts'
import { writePacket } from './write-packet.ts'

/** After CONNACK: sends again what was not acknowledged, and what changed while the device was away. */
export function resumeSettings(connection: Connection, client: Client) {
  for (const subscription of client.session.subscriptions.values())
    offerSettings(connection, client, subscription, false)
}

/**
 * Sends the settings if the device does not have them.
 * @param isNew the subscription was just made: what is retained is sent whether or not it was before, with the retain flag
 */
export function offerSettings(connection: Connection, client: Client, subscription: Subscription, isNew: boolean) {
  if (subscription.silent) return
  const { log, host } = connection.state
  host.settings(client.device).then(
    (settings) => {
      if (connection.phase !== 'open' || client.session.subscriptions.get(subscription.topic) !== subscription) return
      if (settings) offer(connection, client, subscription, settings, isNew)
    },
    (error: unknown) => {
      // Tried again at the next change or connection; the device works on with the settings that it has.
      log.warn({ err: error, device: client.device.device }, 'settings could not be read for a device')
    },
  )
}

function offer(
  connection: Connection,
  client: Client,
  subscription: Subscription,
  settings: DeviceSettings,
  isNew: boolean,
) {
  const { counts } = connection.state
  const { pending } = subscription
  if (pending) {
    // Under way on this connection: what is newer follows when it is acknowledged.
    if (sentOn.get(pending) === connection) return wait(subscription)
    if (pending.version === settings.version) {
      if (isFull(connection, client)) return wait(subscription)
      counts.settingsSent('resent')
      return send(connection, client, subscription, settings, pending, true)
    }
    // A newer version takes its place: only the newest is kept for the device.
    subscription.pending = null
  }
  if (!isNew && subscription.reached === settings.version) return
  const retain = isNew || subscription.retainAsPublished
  if (subscription.qos === 0) {
    subscription.reached = settings.version
    counts.settingsSent('sent')
    return send(connection, client, subscription, settings, { packetId: 0, version: settings.version, retain }, false)
  }
  if (isFull(connection, client)) {
    // Looked at again when there is room; as if never reached, so that a new subscription gets what is retained.
    subscription.reached = null
    return wait(subscription)
  }
  const begun = { packetId: client.session.takePacketId(), version: settings.version, retain }
  subscription.pending = begun
  sentOn.set(begun, connection)
  const { store, clock, log } = connection.state
  // Stored before it is sent, so that it goes again with the same packet identifier after a crash. If that fails it goes all the same.
  client.session
    .save(store, clock.now())
    .catch((error: unknown) =>
      log.warn({ err: error, device: client.device.device }, 'settings under way could not be stored'),
    )
    .then(() => {
      if (connection.phase !== 'open') return
      counts.settingsSent('sent')
      send(connection, client, subscription, settings, begun, false)
    })
}

/** To be looked at again after the next acknowledgement. */
function wait(subscription: Subscription) {
  subscription.stale = true
}

/** Whether the client has as many unacknowledged messages as it takes (its Receive Maximum, MQTT 5.0, 3.1.2.11.3). */
function isFull(connection: Connection, client: Client): boolean {
  let count = 0
  for (const { pending } of client.session.subscriptions.values())
    if (pending && sentOn.get(pending) === connection) count += 1
  return count >= client.receiveMaximum
}

/** On which connection a pending message is under way; on a new one it is sent again. */
const sentOn = new WeakMap<object, Connection>()

function send(
  connection: Connection,
  client: Client,
  subscription: Subscription,
  settings: DeviceSettings,
  as: { packetId: number; version: number; retain: boolean },
  dup: boolean,
) {
  sentOn.set(as, connection)
  const { identifier, topic, qos } = subscription
  const properties = identifier === null ? {} : { subscriptionIdentifier: identifier }
  const bytes = writePacket(
    {
      cmd: 'publish',
      topic,
      payload: Buffer.from(settings.bytes),
      qos,
      dup,
      retain: as.retain,
      messageId: as.packetId,
      properties,
    },
    client.version,
  )
  if (bytes.length > client.maxPacketBytes) {
    // It must not be sent, and is to be taken as delivered (MQTT 5.0, 3.1.2.11.4); an operator sees it in the count and the log.
    connection.state.counts.settingsSent('too-large-for-device')
    connection.state.log.warn(
      { device: client.device.device, bytes: bytes.length },
      'settings are larger than the device takes',
    )
    subscription.pending = null
    return
  }
  connection.send(bytes)
}

export function handleSettingsAck(connection: Connection, client: Client, packetId: number, reason: number) {
  const { counts, host, log, store, clock } = connection.state
  for (const subscription of client.session.subscriptions.values()) {
    const { pending } = subscription
    if (pending?.packetId !== packetId) continue
    subscription.pending = null
    subscription.reached = pending.version
    if (reason < 0x80) {
      counts.settingsSent('acknowledged')
      host.settingsReached(client.device, pending.version)
    } else {
      counts.settingsSent('refused-by-device')
      log.warn({ device: client.device.device, version: pending.version, reason }, 'the device refused its settings')
    }
    // Not waited for: were it lost in a crash, the device would get the same settings once more.
    client.session.save(store, clock.now()).catch((error: unknown) => {
      log.warn({ err: error, device: client.device.device }, 'an acknowledgement of settings could not be stored')
    })
    offerWaiting(connection, client)
    return
  }
}

function offerWaiting(connection: Connection, client: Client) {
  for (const subscription of client.session.subscriptions.values()) {
    if (!subscription.stale) continue
    subscription.stale = false
    offerSettings(connection, client, subscription, false)
  }
}

/** A device's settings changed: offers them on its open connections. */
export function settingsChanged(connections: Iterable<Connection>) {
  for (const connection of connections) {
    if (connection.phase !== 'open') continue
    connection.client!.settings = null
    resumeSettings(connection, connection.client!)
  }
}
