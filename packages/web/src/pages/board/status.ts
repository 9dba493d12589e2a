/** What a unit of the board says at a glance, from what was read and the time that has passed since. Pure. */
import type { BoardProbe, BoardUnit } from '@careloop/contract'
import { signal } from '@careloop/contract'

/**
 * - `out`: a fresh reading is out of the band, or an alert's condition stands.
 * - `open`: all is in range again, and something still waits for somebody.
 * - `unknown`: no fresh reading: it may be warm or not, nobody knows.
 * - `good`: fresh, in the band, nothing open.
 */
export type UnitStatus = 'out' | 'unknown' | 'open' | 'good'

export type ProbeState = BoardProbe['state']

/** Fresh on the server and not too old by now: whether or not it could be read again. */
export function stateOf({ state, last }: BoardProbe, now: number): ProbeState {
  if (last === undefined) return 'no-data'
  return state === 'fresh' && now - last.measuredAt > last.freshForMs ? 'stale' : state
}

export type Side = 'above' | 'below' | 'inside'

export function sideOf(value: number, { low, high }: BoardUnit['band']): Side {
  if (high !== null && value > high) return 'above'
  return low !== null && value < low ? 'below' : 'inside'
}

/** What the band is about: the temperature, not the door or the battery. */
export const measures = (unit: BoardUnit): readonly BoardProbe[] =>
  unit.probes.filter((probe) => signal(probe.signal)?.meanings === undefined)

/** Doors and other states. */
export const doors = (unit: BoardUnit): readonly BoardProbe[] =>
  unit.probes.filter((probe) => signal(probe.signal)?.meanings !== undefined)

export function statusOf(unit: BoardUnit, now: number): UnitStatus {
  const probes = measures(unit)
  const fresh = probes.filter((probe) => stateOf(probe, now) === 'fresh')
  const isOut = fresh.some(({ last }) => sideOf(last!.value, unit.band) !== 'inside')
  const stands = unit.alerts.some(({ condition, handling }) => condition === 'active' && handling !== 'closed')
  if (isOut || stands) return 'out'
  if (fresh.length < probes.length || probes.length === 0) return 'unknown'
  return unit.alerts.length > 0 ? 'open' : 'good'
}

const places: Readonly<Record<UnitStatus, number>> = { out: 0, unknown: 1, open: 2, good: 3 }
const priorityPlaces = { high: 0, medium: 1, low: 2 } as const

/** Worst first, also when something became stale since it was read; among equals by priority, then by name. */
export function worstFirst(units: readonly BoardUnit[], now: number): BoardUnit[] {
  const priority = (unit: BoardUnit) => Math.min(3, ...unit.alerts.map((each) => priorityPlaces[each.priority]))
  return units.toSorted(
    (a, b) =>
      places[statusOf(a, now)] - places[statusOf(b, now)] ||
      priority(a) - priority(b) ||
      a.subject.name.localeCompare(b.subject.name),
  )
}

/** `2 to 8 °C`, `up to -15 °C`, `at least 2 °C`; undefined where no rule sets a limit. */
export function bandText({ band: { low, high }, unit }: Pick<BoardUnit, 'band' | 'unit'>): string | undefined {
  if (low !== null && high !== null) return `${low} to ${high} ${unit}`
  if (high !== null) return `up to ${high} ${unit}`
  return low === null ? undefined : `at least ${low} ${unit}`
}
