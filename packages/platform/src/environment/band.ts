/** Between which temperatures a place or thing is allowed to be, by the limits of its rules. Pure. */
import { type DrawnThreshold, shownUnit, signal } from '@careloop/contract'

/** null = open on that side. Both limits are allowed values. */
export interface Band {
  readonly low: number | null
  readonly high: number | null
}

/** Temperatures are what this board is about: signals whose canonical unit is the degree Celsius. */
export const temperatureUcum = 'Cel'
export const isTemperature = (code: string): boolean => signal(code)?.unit === temperatureUcum
export const temperatureUnit = shownUnit(temperatureUcum)

/**
 * The narrowest band that limits leave: of "above 8" and "above 12" the first is reached first. Limits that clear an alert, and
 * those of other signals, say nothing of it.
 */
export function bandOf(limits: readonly DrawnThreshold[], code: string): Band {
  const raising = limits.filter((limit) => limit.role === 'raise' && limit.signal === code)
  const highs = raising.filter(({ comparator }) => comparator.startsWith('>')).map(({ limit }) => limit)
  const lows = raising.filter(({ comparator }) => comparator.startsWith('<')).map(({ limit }) => limit)
  return {
    low: lows.length === 0 ? null : Math.max(...lows),
    high: highs.length === 0 ? null : Math.min(...highs),
  }
}
