/** Time of day, and what follows it. */
import type { EpochMs } from '@careloop/contract'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Hours since local midnight, [0, 24). */
export const hourOfDay = (t: EpochMs, zoneOffsetMs: number): number => {
  const inDay = (t + zoneOffsetMs) % DAY
  return (inDay < 0 ? inDay + DAY : inDay) / HOUR
}

/** A cosine over the day within [-1, 1], highest at `peakHour`. */
export const dayWave = (t: EpochMs, zoneOffsetMs: number, peakHour: number): number =>
  Math.cos(((hourOfDay(t, zoneOffsetMs) - peakHour) / 24) * 2 * Math.PI)

/** How deep asleep, [0, 1]: nights from 23 to 7 with an hour of falling asleep and of waking. */
export function sleep(t: EpochMs, zoneOffsetMs: number): number {
  const hour = hourOfDay(t, zoneOffsetMs)
  const sinceEvening = hour >= 12 ? hour - 23 : hour + 1
  return Math.max(0, Math.min(1, sinceEvening, 8 - sinceEvening))
}
