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
  return { measuredAt: corrected, deviceTime }
}

/** For a time that the device gave relative to the moment of sending. */
export function settleRelative(relativeMs: number, receivedAt: number): SettledTime {
  if (relativeMs > FUTURE_MS) return { measuredAt: receivedAt, flag: 'clock-in-future' }
  if (relativeMs < -HISTORIC_MS) return { measuredAt: receivedAt + relativeMs, flag: 'historic' }
  return { measuredAt: receivedAt + relativeMs }
}

const toEpoch = (time: DeviceTime, wall: WallClock): number => ('epochMs' in time ? time.epochMs : wall(time.local))

/** The clock's epoch after the device told its own now; the same object when nothing changed. */
export function settleClock(clock: ClockEpoch, deviceNow: number | undefined, receivedAt: number): ClockEpoch {
  if (deviceNow === undefined) return clock
  const estimate = receivedAt - deviceNow
  const offsetMs = Math.abs(estimate) <= CLOCK_TOLERANCE_MS ? 0 : estimate
  if (Math.abs(offsetMs - clock.offsetMs) <= CLOCK_TOLERANCE_MS) return clock
  return { epoch: clock.epoch + 1, offsetMs }
}
