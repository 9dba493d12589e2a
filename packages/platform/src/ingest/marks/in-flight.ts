/**
 * Messages of a device on their way into the log. They are not learned yet, so a new message is held against them as well: what
 * shares a number or a (signal, time, ordinal) with one of them is judged when that one is durable or has failed.
 */
import type { Parsed, ParsedReading } from '../decode/names.ts'
import type { Frame } from '../door.ts'
import { rawTime } from './judge.ts'

export interface InFlight {
  readonly contentHash: number
  readonly sequence: number | undefined
  /** The device counts anew from this message on: what follows can only be judged after it. */
  readonly restarted: boolean
  /** Another frame with the same bytes is the same message: it names its own time or number, or MQTT says that it repeats. */
  readonly repeatable: boolean
  readonly packetId: number | undefined
  readonly readings: readonly ParsedReading[]
  readonly done: Promise<unknown>
  /** Made when first asked for: nearly always every time of the next message is newer. */
  times?: Times
}

interface Times {
  /** ms, raw device time; -Infinity when no reading has one */
  readonly newest: number
  readonly keys: ReadonlySet<string>
}

/** The same message as one on its way, byte for byte: it is answered when that one is. */
export function isSame(flight: InFlight, frame: Frame, contentHash: number): boolean {
  if (flight.contentHash !== contentHash) return false
  return flight.repeatable || (frame.delivery?.dup === true && frame.delivery.packetId === flight.packetId)
}

/** The newest message on its way that must be known before this one can be judged. */
export function mustPrecede(flights: readonly InFlight[], parsed: Parsed): InFlight | undefined {
  for (let i = flights.length - 1; i >= 0; i--) if (meets(flights[i]!, parsed)) return flights[i]
  return undefined
}

function meets(flight: InFlight, parsed: Parsed): boolean {
  if (parsed.sequence !== undefined) return flight.restarted || flight.sequence === parsed.sequence
  for (const reading of parsed.readings) {
    const time = rawTime(reading)
    if (time === undefined) continue
    flight.times ??= timesOf(flight.readings)
    if (time <= flight.times.newest && flight.times.keys.has(keyOf(reading, time))) return true
  }
  return false
}

function timesOf(readings: readonly ParsedReading[]): Times {
  let newest = Number.NEGATIVE_INFINITY
  const keys = new Set<string>()
  for (const reading of readings) {
    const time = rawTime(reading)
    if (time === undefined) continue
    if (time > newest) newest = time
    keys.add(keyOf(reading, time))
  }
  return { newest, keys }
}

const keyOf = ({ signal, ordinal }: ParsedReading, time: number): string => `${time} ${ordinal} ${signal}`
