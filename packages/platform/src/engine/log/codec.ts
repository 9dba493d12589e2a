/**
 * One commit of the log as bytes: JSON of short tuples, zstd-compressed. JSON keeps every double exactly, is readable with
 * standard tools after unsealing, and costs about 3 us a message; the first byte names the format, so that it can change.
 * Format 1: byte 1, then zstd(JSON array of entries). Raw frame bytes stand as text when they are UTF-8, else as base64.
 */
import { isUtf8 } from 'node:buffer'
import { constants as zlib, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { LogEntry, LoggedReading, RawFrame, ReadingsLogged } from '@careloop/contract'
import { engineFailure } from '../errors.ts'

const FORMAT = 1
const OPTIONS = { params: { [zlib.ZSTD_c_compressionLevel]: 1 } }
/** A commit is bounded by the appender; what inflates beyond this is damage. */
const MAX_INFLATED = 256 * 1024 * 1024

type PlainFrame = readonly [format: RawFrame['format'], text: string] | readonly [RawFrame['format'], base64: string, 1]
type PlainReading = readonly [
  signal: string,
  value: LoggedReading['value'],
  measuredAt: number,
  ordinal: number,
  rest?: Omit<LoggedReading, 'signal' | 'value' | 'measuredAt' | 'ordinal'>,
]

/** Encodes the entries of one commit. */
export function encodeCommit(entries: readonly LogEntry[]): Buffer {
  const packed = zstdCompressSync(Buffer.from(JSON.stringify(entries.map(toPlain))), OPTIONS)
  return Buffer.concat([Buffer.of(FORMAT), packed])
}

/** @throws Failure `log-damaged` */
export function decodeCommit(bytes: Uint8Array): LogEntry[] {
  if (bytes[0] !== FORMAT)
    throw engineFailure('log-damaged', `A commit of the reading log has format ${bytes[0]}, not ${FORMAT}.`)
  const json = zstdDecompressSync(bytes.subarray(1), { maxOutputLength: MAX_INFLATED }).toString()
  return (JSON.parse(json) as unknown[]).map(fromPlain)
}

function toPlain(entry: LogEntry): unknown {
  if (entry.kind === 'readings') return readingsToPlain(entry)
  if (entry.kind === 'quarantined') return { ...entry, frame: frameToPlain(entry.frame) }
  return entry
}

function fromPlain(plain: unknown): LogEntry {
  if (Array.isArray(plain)) return readingsFromPlain(plain)
  const entry = plain as LogEntry
  if (entry.kind === 'quarantined') return { ...entry, frame: frameFromPlain(entry.frame as unknown as PlainFrame) }
  return entry
}

function frameToPlain(frame: RawFrame): PlainFrame {
  const bytes = Buffer.from(frame.bytes.buffer, frame.bytes.byteOffset, frame.bytes.byteLength)
  return isUtf8(bytes) ? [frame.format, bytes.toString()] : [frame.format, bytes.toString('base64'), 1]
}

function frameFromPlain([format, text, base64]: PlainFrame): RawFrame {
  return { format, bytes: Buffer.from(text, base64 ? 'base64' : 'utf8') }
}

/** What a readings entry may or may not have, beside what it always has. */
type Rest = Pick<
  ReadingsLogged,
  'sequence' | 'sequenceRestarted' | 'delivery' | 'clockEpoch' | 'clockOffsetMs' | 'userIndex' | 'enteredBy'
>

function readingsToPlain(entry: ReadingsLogged): unknown[] {
  const { kind, tenant, device, assignment, subject, door, receivedAt, origin, frame, readings, ...rest } = entry
  return [
    tenant,
    device,
    assignment,
    subject,
    door,
    receivedAt,
    origin,
    frameToPlain(frame),
    readings.map(readingToPlain),
    rest,
  ]
}

function readingsFromPlain(plain: unknown[]): ReadingsLogged {
  const [tenant, device, assignment, subject, door, receivedAt, origin, frame, readings, rest] = plain as [
    string,
    string,
    string,
    string,
    ReadingsLogged['door'],
    number,
    ReadingsLogged['origin'],
    PlainFrame,
    PlainReading[],
    Rest,
  ]
  return {
    kind: 'readings',
    tenant,
    device,
    assignment,
    subject,
    door,
    receivedAt,
    origin,
    frame: frameFromPlain(frame),
    readings: readings.map(readingFromPlain),
    ...rest,
  }
}

function readingToPlain(reading: LoggedReading): PlainReading {
  const { signal, value, measuredAt, ordinal, ...rest } = reading
  for (const _ in rest) return [signal, value, measuredAt, ordinal, rest]
  return [signal, value, measuredAt, ordinal]
}

function readingFromPlain([signal, value, measuredAt, ordinal, rest]: PlainReading): LoggedReading {
  return { signal, value, measuredAt, ordinal, ...rest }
}
