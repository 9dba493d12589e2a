/**
 * Which readings of a frame are new. By the device's message number where it has one, else by each reading's raw device time,
 * else by MQTT's packet identifier; a frame with none of these is new. Decided before the append, on raw times.
 */
import { faceOf } from '../clocks/wall-clock.ts'
import type { Fault, Parsed, ParsedReading } from '../decode/names.ts'
import type { Frame } from '../door.ts'
import { hashReadings, hashValue } from './hash.ts'
import type { Slot } from './slots.ts'

export type Judged =
  | { readonly verdict: 'duplicate' }
  | { readonly verdict: 'set-aside'; readonly fault: Fault }
  | {
      readonly verdict: 'new'
      readonly readings: readonly ParsedReading[]
      readonly faults: readonly Fault[]
      readonly restarted?: true
    }

export function judge(frame: Frame, parsed: Parsed, frameHash: number, slot: Slot): Judged {
  if (parsed.sequence !== undefined) return judgeSequence(frame, parsed, hashOfMessage(parsed, frameHash), slot)
  if (frame.delivery?.dup && slot.marks.wasDelivered(frame.delivery.packetId, frameHash))
    return { verdict: 'duplicate' }
  return judgeTimes(parsed, slot)
}

/** What tells one numbered message from another with the same number. */
function hashOfMessage(parsed: Parsed, frameHash: number): number {
  if (!parsed.enveloped) return frameHash
  return hashReadings(
    parsed.readings.map((reading) => ({
      signal: reading.signal,
      value: reading.value,
      time: rawTime(reading),
      ordinal: reading.ordinal,
    })),
  )
}

function judgeSequence(frame: Frame, parsed: Parsed, contentHash: number, slot: Slot): Judged {
  const sequence = parsed.sequence!
  const verdict = slot.marks.sequences.verdict(sequence, contentHash)
  if (verdict === 'new') return { verdict: 'new', readings: parsed.readings, faults: [] }
  if (verdict === 'duplicate') {
    if (!mayBeAnother(frame, parsed, sequence, slot)) return { verdict: 'duplicate' }
    return { verdict: 'set-aside', fault: { reason: 'conflict', pointer: '/seq', message: ANEW } }
  }
  // A number used before, with a time beyond all earlier ones: the device began to count anew (battery change, reset).
  if (isNewest(parsed, slot)) return { verdict: 'new', readings: parsed.readings, faults: [], restarted: true }
  const message =
    verdict === 'conflict'
      ? 'This message number was used before with other content. Both are kept: compare them, then replay or dismiss this one.'
      : 'This message number was used before, too long ago to compare. If the device counts anew after a restart, let it send ts.'
  return { verdict: 'set-aside', fault: { reason: 'conflict', pointer: '/seq', message } }
}

/** Longer than a device or its network server takes to send a message again that was not acknowledged. */
const REPEATED_WITHIN_MS = 15 * 60_000

const ANEW =
  'The same message number and content came long ago, and nothing says when this was measured: sent again, or the device counts anew. Replay it if it is another measurement, else dismiss it. Let the device send ts.'

/** A device that counts anew and tells no time may send, by chance, the very content that this number had before. */
function mayBeAnother(frame: Frame, parsed: Parsed, sequence: number, slot: Slot): boolean {
  if (frame.delivery?.dup || parsed.readings.some((reading) => rawTime(reading) !== undefined)) return false
  const first = slot.marks.sequences.firstReceived(sequence)
  return first !== undefined && frame.receivedAt - first > REPEATED_WITHIN_MS + 60_000
}

function isNewest(parsed: Parsed, slot: Slot): boolean {
  const newest = slot.marks.newestTime
  return (
    newest !== undefined &&
    parsed.readings.length > 0 &&
    parsed.readings.every((r) => r.time !== undefined && rawTime(r)! > newest)
  )
}

const OTHER_VALUE =
  'The device has sent another value for this signal and time before. Both are kept: compare them, then replay or dismiss this one.'
const TOO_OLD =
  'This is older than what is remembered of the device, so nobody can say whether it was stored. Replay it if it never was, else dismiss it.'

function judgeTimes(parsed: Parsed, slot: Slot): Judged {
  let seen = 0
  let readings = parsed.readings as readonly ParsedReading[]
  const faults: Fault[] = []
  for (const reading of parsed.readings) {
    const time = rawTime(reading)
    if (time === undefined) continue
    const verdict = slot.marks.window(reading.signal).verdict(time, reading.ordinal, hashValue(reading.value))
    if (verdict === 'new') continue
    if (verdict === 'duplicate') seen++
    else
      faults.push({
        reason: 'conflict',
        pointer: reading.pointer,
        message: verdict === 'conflict' ? OTHER_VALUE : TOO_OLD,
      })
    readings = readings.filter((other) => other !== reading)
  }
  if (readings.length === 0 && faults.length === 0 && seen > 0 && parsed.faults.length === 0)
    return { verdict: 'duplicate' }
  return { verdict: 'new', readings, faults }
}

/** The device's own time in ms, uncorrected: of a wall clock what it showed, which does not depend on where it is read. */
export function rawTime(reading: ParsedReading): number | undefined {
  const time = reading.time ?? reading.untrustedTime
  if (!time) return undefined
  return 'epochMs' in time ? time.epochMs : faceOf(time.local)
}
