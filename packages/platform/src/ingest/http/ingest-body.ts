/** An HTTP ingest body to frames: one message, or an array of messages, each with its own receipt; a SenML pack is one frame. */
import type { DeviceIdentity, Frame } from '../door.ts'
import { ingestFailure } from '../errors.ts'

const MAX_MESSAGES = 1000

/** @throws Failure `ingest-empty` | `ingest-invalid` with a pointer */
export function framesOf(bytes: Buffer, mediaType: string, device: DeviceIdentity, receivedAt: number): Frame[] {
  if (bytes.length === 0)
    throw ingestFailure('ingest-empty', 'The body is empty. Send {"values": {"<signal>": <number>}}.')
  const frame = { kind: 'telemetry', device, door: 'http', receivedAt } as const
  if (mediaType === 'application/senml+json') return [{ ...frame, format: 'senml', bytes }]
  if (mediaType === 'application/octet-stream') return [{ ...frame, format: 'profile', bytes }]
  const body = parse(bytes)
  if (!Array.isArray(body)) return [{ ...frame, format: 'json', bytes }]
  if (body.length === 0) throw ingestFailure('ingest-empty', 'The array holds no messages.')
  if (body.length > MAX_MESSAGES)
    throw ingestFailure('ingest-invalid', `At most ${MAX_MESSAGES} messages go in one request. Send several.`)
  return body.map((message) => ({ ...frame, format: 'json', bytes: Buffer.from(JSON.stringify(message)) }))
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    // Kept all the same: the flow behind the door sets it aside as a bad frame.
    return undefined
  }
}
