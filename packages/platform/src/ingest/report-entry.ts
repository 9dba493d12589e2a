/** What a device tells of itself (battery, firmware, a last will): kept as its latest attributes, not as readings of a subject. */
import type { DeviceReported } from '@careloop/contract'
import { Unreadable } from './decode/names.ts'
import type { Frame } from './door.ts'

type Attributes = DeviceReported['attributes']

const MAX_KEYS = 200

/** @throws Unreadable when the payload is no object of plain values */
export function reportEntry(frame: Frame, attributes: Attributes = parseAttributes(frame.bytes)): DeviceReported {
  return {
    kind: 'device-reported',
    tenant: frame.device.tenant,
    device: frame.device.device,
    receivedAt: frame.receivedAt,
    what: frame.kind === 'status' ? 'status' : 'attributes',
    attributes,
  }
}

/** The same of bytes that need not be attributes; null when they are none. */
export function plainAttributes(bytes: Uint8Array): Attributes | null {
  try {
    return parseAttributes(bytes)
  } catch (error) {
    if (error instanceof Unreadable) return null
    throw error
  }
}

function parseAttributes(bytes: Uint8Array): Attributes {
  let body: unknown
  try {
    body = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())
  } catch {
    throw new Unreadable('', 'The payload is not JSON.')
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Unreadable('', 'Attributes are a JSON object.')
  const entries = Object.entries(body)
  if (entries.length > MAX_KEYS) throw new Unreadable('', `More than ${MAX_KEYS} attributes.`)
  for (const [key, value] of entries)
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw new Unreadable(`/${key.slice(0, 64)}`, 'An attribute is text, a number, true or false.')
  return body as Attributes
}
