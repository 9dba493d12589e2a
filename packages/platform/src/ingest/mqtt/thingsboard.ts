/**
 * ThingsBoard's attribute request (its MQTT device API): a device publishes `{"sharedKeys":"a,b"}` to
 * `v1/devices/me/attributes/request/{n}` and is answered on `v1/devices/me/attributes/response/{n}`. Firmware asks so at start.
 */
import type { Client } from './client.ts'
import type { Connection } from './connection.ts'
import type { DeviceSettings } from './host.ts'
import { writePacket } from './write-packet.ts'

const REQUEST = 'v1/devices/me/attributes/request/'
const RESPONSE = 'v1/devices/me/attributes/response/'

export const isAttributesRequest = (topic: string): boolean =>
  topic.startsWith(REQUEST) && /^\d{1,10}$/.test(topic.slice(REQUEST.length))

/** Answers at QoS 0 with the settings as shared attributes. Resolves when answered, or when there was nobody to answer. */
export async function answerAttributesRequest(
  connection: Connection,
  client: Client,
  topic: string,
  asked: Uint8Array,
): Promise<void> {
  const request = parseObject(asked)
  if (!client.session.subscriptions.has(`${RESPONSE}+`)) return
  const settings = await settingsOf(connection, client)
  if (connection.phase !== 'open') return
  const all = parseObject(settings?.bytes ?? new Uint8Array())
  const keys = typeof request.sharedKeys === 'string' ? request.sharedKeys.split(',') : null
  const shared = keys ? Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key))) : all
  const payload = Buffer.from(JSON.stringify({ shared }))
  const answer = {
    cmd: 'publish',
    topic: RESPONSE + topic.slice(REQUEST.length),
    payload,
    qos: 0,
    dup: false,
    retain: false,
  } as const
  const bytes = writePacket(answer, client.version)
  if (bytes.length <= client.maxPacketBytes) connection.send(bytes)
}

/** Read once and kept until they change: a device that asks in a loop must not keep the database busy. */
function settingsOf(connection: Connection, client: Client): Promise<DeviceSettings | null> {
  const { host, log } = connection.state
  client.settings ??= host.settings(client.device).catch((error: unknown) => {
    client.settings = null
    log.warn({ err: error, device: client.device.device }, 'settings could not be read for a device')
    return null
  })
  return client.settings
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {}
  } catch {
    return {}
  }
}
