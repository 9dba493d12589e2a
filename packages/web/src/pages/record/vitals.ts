/** Vital signs of a record as rows of civil days: what was measured, how often, between what and what. Pure. */
import type { CodeableConcept, Observation, Quantity } from '@medplum/fhirtypes'
import type { PlotModel, PlotPoint } from '../../parts/plot/model.ts'

const loinc = 'http://loinc.org'
export const bloodPressure = '85354-9'
const systolic = '8480-6'
const diastolic = '8462-4'
/** A window that was summed up says its own mean, least and greatest in components. */
const summaryParts = { mean: 'mean', minimum: 'low', maximum: 'high' } as const

/** One Observation as the page needs it. `second`: diastolic beside systolic. */
export interface Vital {
  readonly id: string
  readonly at: number
  readonly value: number
  readonly second?: number
  readonly low?: number
  readonly high?: number
  /** The device could tell no more than that it lies beyond: the value is its limit. */
  readonly beyond?: '<' | '>'
  readonly resource: Observation
}

export interface Measure {
  readonly code: string
  readonly label: string
  readonly unit: string
  /** Oldest first. */
  readonly vitals: readonly Vital[]
}

const loincOf = (concept: CodeableConcept | undefined): string | undefined =>
  concept?.coding?.find(({ system }) => system === loinc)?.code

const labelOf = (concept: CodeableConcept): string =>
  concept.text ?? concept.coding?.find(({ display }) => display !== undefined)?.display ?? 'Other'

/** By LOINC code, most measured first. What was entered in error, or has no number, is no vital sign to show. */
export function measuresOf(observations: readonly Observation[]): Measure[] {
  const byCode = new Map<string, { label: string; unit: string; vitals: Vital[] }>()
  for (const each of observations) {
    const read = each.status === 'entered-in-error' || each.status === 'cancelled' ? null : vitalOf(each)
    if (read === null) continue
    const { code, unit, vital, label = labelOf(each.code!) } = read
    const key = `${code} ${unit}`
    const known = byCode.get(key) ?? { label, unit, vitals: [] }
    known.vitals.push(vital)
    byCode.set(key, known)
  }
  return [...byCode]
    .map(([key, { vitals, ...rest }]) => ({
      ...rest,
      code: key.split(' ')[0]!,
      vitals: vitals.sort((a, b) => a.at - b.at),
    }))
    .sort((a, b) => b.vitals.length - a.vitals.length || a.label.localeCompare(b.label))
}

interface Read {
  readonly code: string
  readonly unit: string
  readonly vital: Vital
  /** Where it is not that of the Observation. */
  readonly label?: string
}

function vitalOf(observation: Observation): Read | null {
  const { effectiveDateTime, effectivePeriod, effectiveInstant, id = '' } = observation
  const at = Date.parse(effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.start ?? '')
  const code = loincOf(observation.code)
  if (Number.isNaN(at) || code === undefined) return null
  const values = valuesOf(observation, code)
  return values === null
    ? null
    : { code, ...values.as, unit: values.unit, vital: { id, at, resource: observation, ...values.numbers } }
}

function valuesOf(observation: Observation, code: string) {
  const part = (wanted: string) => observation.component?.find((each) => loincOf(each.code) === wanted)?.valueQuantity
  if (code === bloodPressure) {
    const [upper, lower] = [part(systolic), part(diastolic)]
    if (upper?.value === undefined || lower?.value === undefined) return halfOf(upper, lower)
    return { as: {}, unit: unitOf(upper), numbers: { value: upper.value, second: lower.value } }
  }
  const own = observation.valueQuantity
  const parts = summaryOf(observation)
  const value = own?.value ?? parts.mean?.value
  if (value === undefined) return null
  return {
    as: {},
    unit: unitOf(own ?? parts.mean!),
    numbers: {
      value,
      ...(own?.comparator === undefined ? {} : ({ beyond: own.comparator.startsWith('<') ? '<' : '>' } as const)),
      ...(parts.low?.value === undefined ? {} : { low: parts.low.value }),
      ...(parts.high?.value === undefined ? {} : { high: parts.high.value }),
    },
  }
}

/** A cuff that told one number of two: a systolic of 190 alone is not left out, and is no bar either. */
function halfOf(upper: Quantity | undefined, lower: Quantity | undefined) {
  const half = upper?.value === undefined ? lower : upper
  if (half?.value === undefined) return null
  const as =
    half === upper ? { code: systolic, label: 'Systolic alone' } : { code: diastolic, label: 'Diastolic alone' }
  return { as, unit: unitOf(half), numbers: { value: half.value } }
}

function summaryOf({ component = [] }: Observation): { mean?: Quantity; low?: Quantity; high?: Quantity } {
  const found: { mean?: Quantity; low?: Quantity; high?: Quantity } = {}
  for (const { code, valueQuantity } of component)
    for (const each of code?.coding ?? []) {
      const name = summaryParts[each.code as keyof typeof summaryParts]
      if (name !== undefined && valueQuantity !== undefined) found[name] = valueQuantity
    }
  return found
}

const unitOf = ({ unit, code }: Quantity): string => unit ?? code ?? ''

export interface Day {
  /** `YYYY-MM-DD` in the patient's zone. */
  readonly date: string
  readonly vitals: readonly Vital[]
}

/** Newest day first, inside a day newest first: a reading at 23:30 in Vienna is of that day wherever it is looked at. */
export function daysOf({ vitals }: Measure, zone: string): Day[] {
  const dateOf = new Intl.DateTimeFormat('en-CA', { timeZone: zone })
  const byDate = Map.groupBy(vitals, ({ at }) => dateOf.format(at))
  return [...byDate]
    .map(([date, ofDay]) => ({ date, vitals: ofDay.toReversed() }))
    .sort((a, b) => (a.date < b.date ? 1 : -1))
}

const shown = (value: number): string => String(Math.round(value * 10) / 10)

export const valueText = ({ value, second, low, high, beyond }: Vital): string => {
  const range = low === undefined || high === undefined || low === high ? '' : ` (${shown(low)} to ${shown(high)})`
  return second === undefined ? `${beyond ?? ''}${shown(value)}${range}` : `${shown(value)}/${shown(second)}`
}

/** `118/76 to 142/90`, or the one value. */
export function rangeText({ vitals }: Day): string {
  const least = vitals.map(({ low, value }) => low ?? value)
  const greatest = vitals.map(({ high, value }) => high ?? value)
  const seconds = vitals.flatMap(({ second }) => second ?? [])
  const of = (pick: (...values: number[]) => number, values: readonly number[]) => {
    const end = pick(...values)
    const beyond = vitals.find(({ value, beyond: side }) => side !== undefined && value === end)?.beyond ?? ''
    return `${beyond}${shown(end)}${seconds.length === 0 ? '' : `/${shown(pick(...seconds))}`}`
  }
  const [low, high] = [of(Math.min, least), of(Math.max, greatest)]
  return low === high ? low : `${low} to ${high}`
}

export function plotOf({ code, label, unit, vitals }: Measure): PlotModel {
  const decimals = vitals.some(({ value }) => !Number.isInteger(value)) ? 1 : 0
  const pointsOf = (pick: (vital: Vital) => number | undefined): PlotPoint[] =>
    vitals.map((vital) => ({
      at: vital.at,
      value: pick(vital) ?? null,
      ...(vital.low === undefined || vital.high === undefined ? {} : { low: vital.low, high: vital.high }),
    }))
  const lines =
    code === bloodPressure
      ? [
          { label: 'Systolic', decimals, points: pointsOf(({ value }) => value) },
          { label: 'Diastolic', decimals, points: pointsOf(({ second }) => second) },
        ]
      : [{ label, decimals, points: pointsOf(({ value }) => value) }]
  return { unit, lines, limits: [], gaps: [], bars: code === bloodPressure }
}
