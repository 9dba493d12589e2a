/**
 * What readings an Observation of another system tells of: a measured value of a person, with a time, a code that we know and a unit
 * of its quantity. Everything else stays what it is: a resource. Pure.
 */
import { type AbsentReason, signal, toCanonical, type Value } from '@careloop/contract'
import type { Resource } from '@careloop/fhir'
import { codingsOf, signalOfConcept } from './signal-of.ts'
import { systems } from './systems.ts'

export interface TellsReadings {
  /** ms */
  readonly measuredAt: number
  readonly values: readonly { readonly signal: string; readonly value: Value; readonly unit: string }[]
  /** What it names as the device; empty when nothing. */
  readonly deviceName: string
}

/** Preliminary values may change before anybody relies on them; what is cancelled or in error was never one. */
const believed: ReadonlySet<unknown> = new Set(['final', 'amended', 'corrected'])
/** A mean over a span is no reading: what says a longer one than this stays a resource. */
const LONGEST_MS = 60_000

/** Null: it tells of none. */
export function readingsIn(resource: Resource): TellsReadings | null {
  if (resource.resourceType !== 'Observation' || !believed.has(resource.status)) return null
  if (isTestData(resource) || isOurs(resource) || isOfAnother(resource) || isChangedInMeaning(resource)) return null
  const measuredAt = timeOf(resource)
  if (measuredAt === null) return null
  const parts = [resource, ...listOf(resource.component).filter((each) => !isChangedInMeaning(each as Modified))]
  const values = parts.flatMap((part) => measuredIn(part as Part) ?? [])
  const device = (resource.device as { readonly reference?: unknown } | undefined)?.reference
  return values.length === 0 ? null : { measuredAt, values, deviceName: typeof device === 'string' ? device : '' }
}

/** HL7's label of data that is about nobody. */
const isTestData = ({ meta }: Resource): boolean =>
  listOf(meta?.security).some((label) => (label as { code?: unknown }).code === 'HTEST')

/** One of our own that another system sends back: what it tells is a reading already. */
const isOurs = ({ identifier }: Resource): boolean =>
  listOf(identifier).some((each) => (each as { system?: unknown }).system === systems.observation)

/** In a patient's record and not about the patient: a fetus, a donor, a device in them. */
const isOfAnother = ({ focus }: Resource): boolean => listOf(focus).length > 0

interface Modified {
  readonly [element: string]: unknown
}

/** FHIR forbids to act on what an extension that one does not know may turn into its opposite; we know none. */
const isChangedInMeaning = ({ modifierExtension, implicitRules }: Modified): boolean =>
  listOf(modifierExtension).length > 0 || implicitRules !== undefined

function timeOf({ effectiveDateTime, effectiveInstant, effectivePeriod }: Resource): number | null {
  const instant = instantOf(effectiveDateTime) ?? instantOf(effectiveInstant)
  if (instant !== null) return instant
  const { start, end } = (effectivePeriod ?? {}) as { start?: unknown; end?: unknown }
  const [from, to] = [instantOf(start), instantOf(end)]
  return from !== null && to !== null && to >= from && to - from <= LONGEST_MS ? to : null
}

/** A day alone is no time of measurement, and neither is a time of no zone. */
function instantOf(text: unknown): number | null {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text))
    return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : at
}

interface Part {
  readonly code?: unknown
  readonly valueQuantity?: { readonly [name: string]: unknown }
  readonly dataAbsentReason?: unknown
}

function measuredIn({ code, valueQuantity, dataAbsentReason }: Part): TellsReadings['values'][number] | null {
  const named = signalOfConcept(code)
  if (named === undefined) return null
  if (valueQuantity === undefined) {
    const absent = absentOf(dataAbsentReason)
    return absent === null ? null : { signal: named, value: { absent }, unit: signal(named)!.unit }
  }
  const { value, comparator, system, code: unit } = valueQuantity
  if (typeof value !== 'number' || system !== systems.ucum || typeof unit !== 'string') return null
  const read = comparator === undefined ? value : censored(comparator, value)
  return read === null || toCanonical(named, read, unit) === undefined ? null : { signal: named, value: read, unit }
}

function censored(comparator: unknown, limit: number): Value | null {
  if (comparator === '<' || comparator === '<=') return { comparator: '<', limit }
  return comparator === '>' || comparator === '>=' ? { comparator: '>', limit } : null
}

/** Only reasons that a device gives: that nobody asked, or that it is masked, is no failed measurement. */
const absentReasons: Readonly<Record<string, AbsentReason>> = {
  'not-a-number': 'not-a-number',
  'positive-infinity': 'positive-infinity',
  'negative-infinity': 'negative-infinity',
  error: 'unsuccessful',
  unsupported: 'not-supported',
}

function absentOf(concept: unknown): AbsentReason | null {
  for (const { code } of codingsOf(concept))
    if (typeof code === 'string' && Object.hasOwn(absentReasons, code)) return absentReasons[code]!
  return null
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
