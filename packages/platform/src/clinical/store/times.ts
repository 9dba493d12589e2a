/** When a resource is of: the span by which lists of it are sorted, and what is searched by date is narrowed. Pure. */
import type { Resource } from '@careloop/fhir'

export interface Span {
  /** ms; outwards to whole ms. */
  readonly from: number
  /** ms, the first after it; null = open. */
  readonly to: number | null
}

const elements: Readonly<Record<string, readonly string[]>> = {
  AuditEvent: ['recorded'],
  CarePlan: ['period'],
  Communication: ['sent', 'received'],
  Consent: ['dateTime'],
  DetectedIssue: ['identifiedDateTime', 'identifiedPeriod'],
  DeviceUseStatement: ['timingPeriod', 'timingDateTime', 'recordedOn'],
  Encounter: ['period'],
  Flag: ['period'],
  Goal: ['startDate'],
  Observation: ['effectiveDateTime', 'effectivePeriod', 'effectiveInstant', 'effectiveTiming'],
  Provenance: ['recorded'],
  QuestionnaireResponse: ['authored'],
  ServiceRequest: ['occurrenceDateTime', 'occurrencePeriod', 'authoredOn'],
  Task: ['authoredOn'],
}

export function spanOf(resource: Resource): Span | null {
  for (const name of elements[resource.resourceType] ?? []) {
    const span = spanIn(resource[name])
    if (span !== null) return span
  }
  return null
}

function spanIn(value: unknown): Span | null {
  if (typeof value === 'string') return spanOfText(value)
  if (typeof value !== 'object' || value === null) return null
  const { start, end, event } = value as { start?: unknown; end?: unknown; event?: unknown }
  // A Timing with events: from the first to the last.
  if (Array.isArray(event)) return around(event.flatMap((each) => spanIn(each) ?? []))
  const first = typeof start === 'string' ? spanOfText(start) : null
  const last = typeof end === 'string' ? spanOfText(end) : null
  if (first !== null) return { from: first.from, to: last?.to ?? null }
  return last
}

function around(spans: readonly Span[]): Span | null {
  if (spans.length === 0) return null
  const ends = spans.map(({ to }) => to)
  const isOpen = ends.includes(null)
  return { from: Math.min(...spans.map(({ from }) => from)), to: isOpen ? null : Math.max(...(ends as number[])) }
}

const shape = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/

/** FHIR date, dateTime or instant: as long as what it leaves out. Without a zone: UTC. */
export function spanOfText(text: string): Span | null {
  const found = shape.exec(text)
  if (found === null) return null
  const [, year, month, day, hour, minute, second, fraction, zone] = found
  if (hour !== undefined) {
    const from = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second ?? '00'}${zone ?? 'Z'}`)
    if (Number.isNaN(from)) return null
    const ms = Math.floor(Number(`0.${fraction ?? '0'}`) * 1000)
    if (second === undefined) return { from, to: from + 60_000 }
    return { from: from + ms, to: from + (fraction === undefined ? 1000 : ms + 1) }
  }
  const y = Number(year)
  if (month === undefined) return { from: Date.UTC(y, 0, 1), to: Date.UTC(y + 1, 0, 1) }
  const m = Number(month) - 1
  if (day === undefined) return { from: Date.UTC(y, m, 1), to: Date.UTC(y, m + 1, 1) }
  return { from: Date.UTC(y, m, Number(day)), to: Date.UTC(y, m, Number(day) + 1) }
}
