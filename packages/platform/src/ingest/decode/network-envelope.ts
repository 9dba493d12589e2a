/**
 * Which device an event of a LoRaWAN network server is about, and whether it carries a payload: what the door must know before the
 * device's own codec reads the rest. ChirpStack v4 events and The Things Stack v3 webhooks. Pure.
 */

export interface NetworkEnvelope {
  /** As it was written; null where the event names none. */
  readonly devEui: string | null
  /** Where it stands, or should. */
  readonly pointer: string
  /**
   * Name of an event that tells only of the network's own doings (a downlink was sent, a location was computed) and that no codec
   * reads; null for uplinks, joins and status.
   */
  readonly notice: string | null
}

/** Fields by which The Things Stack says what happened (`ApplicationUp`), but for uplinks and joins. */
const NOTICES = [
  ...['downlink_ack', 'downlink_nack', 'downlink_sent', 'downlink_failed', 'downlink_queued'],
  ...['downlink_queue_invalidated', 'location_solved', 'service_data', 'uplink_normalized'],
]

const DEV_EUI = /^([0-9A-Fa-f]{2}[:-]?){7}[0-9A-Fa-f]{2}$/

/** Null when the bytes are no JSON object. */
export function readEnvelope(bytes: Uint8Array): NetworkEnvelope | null {
  const event = parse(bytes)
  if (!event) return null
  const things = objectOf(event.end_device_ids)
  if (things)
    return {
      devEui: devEuiOf(things.dev_eui),
      pointer: '/end_device_ids/dev_eui',
      notice: event.uplink_message ? null : (NOTICES.find((name) => event[name] !== undefined) ?? null),
    }
  return { devEui: devEuiOf(objectOf(event.deviceInfo)?.devEui), pointer: '/deviceInfo/devEui', notice: null }
}

type JsonObject = Readonly<Record<string, unknown>>

const objectOf = (value: unknown): JsonObject | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null

const devEuiOf = (value: unknown): string | null => (typeof value === 'string' && DEV_EUI.test(value) ? value : null)

function parse(bytes: Uint8Array): JsonObject | null {
  try {
    return objectOf(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()))
  } catch {
    return null
  }
}
