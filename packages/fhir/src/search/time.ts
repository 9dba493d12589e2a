/** Dates of FHIR as the spans of time that they mean: `2024-03` is the whole month. Without a zone: UTC. */
import { isNode } from './path.ts'
import type { Span } from './search.ts'

const pattern = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/

export const always: Span = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }

/** A date, dateTime or instant; null when it is none. Half-open. */
export function spanOfText(text: string): Span | null {
  const match = pattern.exec(text)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, fraction, zone] = match
  const shift = zoneMs(zone)
  const at = (y: number, mo: number, d: number, h = 0, mi = 0, s = 0) => utc(y, mo, d, h, mi, s) - shift
  const y = Number(year)
  if (month === undefined) return { from: at(y, 1, 1), to: at(y + 1, 1, 1) }
  const mo = Number(month)
  if (mo < 1 || mo > 12) return null
  if (day === undefined) return { from: at(y, mo, 1), to: at(y, mo + 1, 1) }
  const d = Number(day)
  if (d < 1 || d > daysOf(y, mo)) return null
  if (hour === undefined) return { from: at(y, mo, d), to: at(y, mo, d + 1) }
  const [h, mi] = [Number(hour), Number(minute)]
  if (h > 23 || mi > 59 || Number(second ?? 0) > 60) return null
  if (second === undefined) return { from: at(y, mo, d, h, mi), to: at(y, mo, d, h, mi + 1) }
  const from = at(y, mo, d, h, mi, Number(second))
  if (fraction === undefined) return { from, to: from + 1_000 }
  const ms = from + Math.floor(Number(`0.${fraction}`) * 1_000)
  return { from: ms, to: ms + 1 }
}

/** A date, Period or Timing; of a Timing its outer limits. Null when it says no time. */
export function spanOfValue(value: unknown): Span | null {
  if (typeof value === 'string') return spanOfText(value)
  if (!isNode(value)) return null
  if (Array.isArray(value.event)) return joined(value.event.map(spanOfValue))
  if (isNode(value.repeat)) return isNode(value.repeat.boundsPeriod) ? spanOfValue(value.repeat.boundsPeriod) : null
  const { start, end } = value
  if (typeof start !== 'string' && typeof end !== 'string') return null
  const from = typeof start === 'string' ? spanOfText(start) : always
  const to = typeof end === 'string' ? spanOfText(end) : always
  return from === null || to === null ? null : { from: from.from, to: to.to }
}

/** The span over all of them; null for none. */
export function joined(spans: readonly (Span | null)[]): Span | null {
  const there = spans.filter((span) => span !== null)
  if (there.length === 0) return null
  return { from: Math.min(...there.map(({ from }) => from)), to: Math.max(...there.map(({ to }) => to)) }
}

/** `Date.UTC` takes years below 100 for the twentieth century. */
function utc(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  return date.getTime()
}

const daysOf = (year: number, month: number): number => new Date(utc(year, month + 1, 1, 0, 0, 0) - 1).getUTCDate()

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const [hours, minutes] = zone.slice(1).split(':').map(Number)
  return (zone.startsWith('-') ? -1 : 1) * (hours! * 60 + minutes!) * 60_000
}
