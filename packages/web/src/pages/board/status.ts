/** What a unit of the board says at a glance, from what was read and the time that has passed since. Pure. */
import type { BoardProbe, BoardUnit, Priority } from '@careloop/contract'

/**
 * - `out`: a fresh reading is out of the band.
 * - `alert`: all readings are in the band, and an alert's condition stands (a battery, a door).
 * - `unknown`: no fresh reading: it may be warm or not, nobody knows.
 * - `open`: all is in range again, and something still waits for somebody.
 * - `good`: fresh, in the band, nothing open.
 */
export type UnitStatus = 'out' | 'alert' | 'unknown' | 'open' | 'good'

export type ProbeState = BoardProbe['state']

/** Fresh on the server and not too old by now: whether or not it could be read again. */
export function stateOf({ state, last }: BoardProbe, now: number): ProbeState {
  if (last === undefined) return 'no-data'
  return state === 'fresh' && now - last.measuredAt > last.freshForMs ? 'stale' : state
}

export type Side = 'above' | 'below' | 'inside'

/** Where a value of this signal lies. The band of the buffered probe says nothing of the air, which swings with each door. */
export function sideOf(value: number, code: string, { band: { low, high }, signal: judged }: BoardUnit): Side {
  if (code !== judged) return 'inside'
  if (high !== null && value > high) return 'above'
  return low !== null && value < low ? 'below' : 'inside'
}

const stands = ({ condition }: BoardUnit['alerts'][number]): boolean => condition === 'active'

const isUnknown = ({ probes }: BoardUnit, now: number): boolean =>
  probes.length === 0 || probes.some((probe) => stateOf(probe, now) !== 'fresh')

export function statusOf(unit: BoardUnit, now: number): UnitStatus {
  const fresh = unit.probes.filter((probe) => stateOf(probe, now) === 'fresh')
  if (fresh.some(({ last, signal }) => sideOf(last!.value, signal, unit) !== 'inside')) return 'out'
  if (isUnknown(unit, now)) return 'unknown'
  if (unit.alerts.some(stands)) return 'alert'
  return unit.alerts.length > 0 ? 'open' : 'good'
}

/** The most urgent priority of the alerts that stand: what colours a card. */
export const priorityOf = ({ alerts }: BoardUnit): Priority | undefined =>
  order.find((each) => alerts.some((alert) => stands(alert) && alert.priority === each))

const order: readonly Priority[] = ['high', 'medium', 'low']

/** As the server orders: by what stands, then out of the band though nothing says so yet, then silence, then what waits. */
function rankOf(unit: BoardUnit, now: number): number {
  const priority = priorityOf(unit)
  if (priority !== undefined) return order.indexOf(priority)
  if (statusOf(unit, now) === 'out') return 2
  if (isUnknown(unit, now)) return 3
  return unit.alerts.length > 0 ? 4 : 5
}

/** Worst first, also when something fell silent since it was read; among equals in the order of the server. */
export const worstFirst = (units: readonly BoardUnit[], now: number): BoardUnit[] =>
  units.toSorted((a, b) => rankOf(a, now) - rankOf(b, now))

/** `2 to 8 °C`, `up to -15 °C`, `at least 2 °C`; undefined where no rule sets a limit. */
export function bandText({ band: { low, high }, unit }: Pick<BoardUnit, 'band' | 'unit'>): string | undefined {
  if (low !== null && high !== null) return `${low} to ${high} ${unit}`
  if (high !== null) return `up to ${high} ${unit}`
  return low === null ? undefined : `at least ${low} ${unit}`
}
