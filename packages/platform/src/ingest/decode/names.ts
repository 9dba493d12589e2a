/** How the keys of a device's payload name signals; made from its profile. O(1): asked for every value of every message. */
export interface Names {
  /** The signal a key means and the unit its numbers are in, or undefined. */
  find(key: string): Named | undefined
}

export interface Named {
  readonly signal: string
  /** UCUM */
  readonly unit: string
}

/** One value that could not be taken, while others of its frame may be. */
export interface Fault {
  readonly reason: 'bad-frame' | 'wrong-device' | 'unknown-signal' | 'unit-mismatch' | 'implausible' | 'conflict'
  /** JSON pointer into the payload. */
  readonly pointer: string
  readonly message: string
}

/** What a payload says, before units, clocks and identity are settled. */
export interface Parsed {
  readonly readings: ParsedReading[]
  readonly faults: Fault[]
  readonly sequence?: number
  /** The device's own "now" when it sent this (ms), for its clock's offset. */
  readonly deviceNow?: number
  /** Wall-clock warnings of a codec, e.g. that the clock is not set. */
  readonly warnings?: readonly string[]
  readonly attributes?: Readonly<Record<string, string | number | boolean>>
  readonly userIndex?: number
  /** The message number was read by a codec out of an envelope: what surrounds it (a gateway's rssi) is not its content. */
  readonly enveloped?: true
}

export interface ParsedReading {
  readonly signal: string
  readonly value: import('@careloop/contract').Value
  readonly unit: string
  readonly time?: import('@careloop/contract').DeviceTime
  /** What an unset clock said: recognises a record that is sent again, never says when it was measured. */
  readonly untrustedTime?: import('@careloop/contract').DeviceTime
  /** Measured so long before (negative) or after it was received, ms: not the device's own time, so it recognises nothing. */
  readonly relativeMs?: number
  readonly ordinal: number
  /** Place of the measurement inside the frame. */
  readonly group: number
  readonly pointer: string
}

const EARLIEST = Date.UTC(2000, 0, 1)
const LATEST = Date.UTC(2200, 0, 1)

/** ms between 2000 and 2200: seconds, microseconds and nonsense are told apart from a wrong clock. */
export const isTime = (epochMs: number): boolean => epochMs >= EARLIEST && epochMs < LATEST

/** A payload that cannot be read at all. */
export class Unreadable extends Error {
  readonly pointer: string
  readonly reason: 'bad-frame' | 'wrong-device'
  constructor(pointer: string, message: string, reason: Unreadable['reason'] = 'bad-frame') {
    super(message)
    this.name = 'Unreadable'
    this.pointer = pointer
    this.reason = reason
  }
}
