/**
 * From what a device says of time to `measuredAt`. The raw time is kept; the offset is frozen per clock epoch, so that a new
 * estimate moves nothing that is stored.
 */
import type { DeviceTime, ReadingFlag } from '@careloop/contract'
import type { ClockEpoch } from '../marks/device-marks.ts'
import type { WallClock } from './wall-clock.ts'

/** A device clock this far ahead cannot be believed (ARCHITECTURE, "Late and lost"). */
export const FUTURE_MS = 2 * 60_000
/** Older than this when it arrives: evaluated as history, pages nobody. */
export const HISTORIC_MS = 15 * 60_000
/** Below this a difference between device and server is transport, not a wrong clock. */
const CLOCK_TOLERANCE_MS = 5_000

export interface SettledTime {
  readonly measuredAt: number
  /** Raw device time in ms, uncorrected; absent when the device gave none. */
  readonly deviceTime?: number
  readonly flag?: ReadingFlag
}

export function settleTime(
  time: DeviceTime | undefined,
  untrusted: DeviceTime | undefined,
  receivedAt: number,
  clock: ClockEpoch,
  wall: WallClock,
): SettledTime {
  if (!time) {
    return untrusted
      ? { measuredAt: receivedAt, deviceTime: toEpoch(untrusted, wall), flag: 'clock-unset' }
      : { measuredAt: receivedAt }
  }
  const deviceTime = toEpoch(time, wall)
  const corrected = deviceTime + clock.offsetMs
  if (corrected > receivedAt + FUTURE_MS) return { measuredAt: receivedAt, deviceTime, flag: 'clock-in-future' }
  if (corrected < receivedAt - HISTORIC_MS) return { measuredAt: corrected, deviceTime, flag: 'historic' }
  // Nothing is measured after it has come: a clock a little fast must not carry a reading to the next wearer.
  return { measuredAt: Math.min(corrected, receivedAt), deviceTime }
}

/** For a time that the device gave relative to the moment of sending. */
export function settleRelative(relativeMs: number, receivedAt: number): SettledTime {
  if (relativeMs > FUTURE_MS) return { measuredAt: receivedAt, flag: 'clock-in-future' }
  if (relativeMs < -HISTORIC_MS) return { measuredAt: receivedAt + relativeMs, flag: 'historic' }
  return { measuredAt: receivedAt + Math.min(relativeMs, 0) }
}

const toEpoch = (time: DeviceTime, wall: WallClock): number => ('epochMs' in time ? time.epochMs : wall(time.local))

/** An offset that may be one, or only the time for which a message waited on its way. */
export interface ClockGuess {
  /** The smallest estimate: what is above it is delay. */
  readonly offsetMs: number
  /** receivedAt of the first message that gave it, ms */
  readonly since: number
  readonly messages: number
}

export interface SettledClock {
  /** The same object when nothing changed. */
  readonly clock: ClockEpoch
  readonly guess: ClockGuess | undefined
}

const CONFIRMED_BY = 3
const CONFIRMED_OVER_MS = 2 * 60_000

/**
 * The clock's epoch after the device told its own now. Delay makes a clock look late and never early, so that it is late is
 * believed only when several messages agree for a while; an estimate nearer to none, or of a clock that is early, at once.
 */
export function settleClock(before: SettledClock, deviceNow: number | undefined, receivedAt: number): SettledClock {
  if (deviceNow === undefined) return before
  const { clock } = before
  const estimate = receivedAt - deviceNow
  const offsetMs = Math.abs(estimate) <= CLOCK_TOLERANCE_MS ? 0 : estimate
  if (Math.abs(offsetMs - clock.offsetMs) <= CLOCK_TOLERANCE_MS) return { clock, guess: undefined }
  const next = (offset: number): SettledClock => ({
    clock: { epoch: clock.epoch + 1, offsetMs: offset },
    guess: undefined,
  })
  if (offsetMs < 0 || Math.abs(offsetMs) < Math.abs(clock.offsetMs)) return next(offsetMs)
  const guess = guessAgain(before.guess, offsetMs, receivedAt)
  const confirmed = guess.messages >= CONFIRMED_BY && receivedAt - guess.since >= CONFIRMED_OVER_MS
  return confirmed ? next(guess.offsetMs) : { clock, guess }
}

function guessAgain(guess: ClockGuess | undefined, offsetMs: number, receivedAt: number): ClockGuess {
  if (!guess || Math.abs(guess.offsetMs - offsetMs) > CLOCK_TOLERANCE_MS)
    return { offsetMs, since: receivedAt, messages: 1 }
  return { ...guess, offsetMs: Math.min(guess.offsetMs, offsetMs), messages: guess.messages + 1 }
}
