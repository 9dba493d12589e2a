/** Vital signs of many patients as a monitoring programme writes them: every body is another, and the same number gives the same one. */
import { createHash } from 'node:crypto'
import type { FhirTree } from '../../packages/fhir/src/index.ts'
import { parseFhir } from '../../packages/fhir/src/index.ts'

interface Kind {
  readonly profile?: string
  readonly code: string
  readonly display: string
  readonly category: 'vital-signs' | 'laboratory'
  readonly unit: string
  readonly shown: string
  readonly mean: number
  readonly spread: number
  readonly decimals: number
  /** Of 100 observations. */
  readonly share: number
}

const core = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-'
export const kinds: readonly Kind[] = [
  { ...of('heart-rate', '8867-4', 'Heart rate', '/min', 'beats/min'), mean: 76, spread: 14, decimals: 0, share: 30 },
  { ...of('pulse-oximetry', '59408-5', 'Oxygen saturation', '%', '%'), mean: 96, spread: 2, decimals: 0, share: 20 },
  {
    ...of('respiratory-rate', '9279-1', 'Respiratory rate', '/min', 'breaths/min'),
    mean: 16,
    spread: 3,
    decimals: 0,
    share: 10,
  },
  {
    ...of('body-temperature', '8310-5', 'Body temperature', 'Cel', '°C'),
    mean: 37,
    spread: 0.5,
    decimals: 1,
    share: 10,
  },
  {
    ...of('blood-pressure', '85354-9', 'Blood pressure', 'mm[Hg]', 'mmHg'),
    mean: 128,
    spread: 16,
    decimals: 0,
    share: 15,
  },
  { ...of('body-weight', '29463-7', 'Body weight', 'kg', 'kg'), mean: 81, spread: 15, decimals: 2, share: 5 },
  {
    ...{ code: '2339-0', display: 'Glucose', category: 'laboratory', unit: 'mg/dL', shown: 'mg/dL' },
    ...{ mean: 118, spread: 35, decimals: 0, share: 10 },
  },
]

function of(profile: string, code: string, display: string, unit: string, shown: string) {
  return { profile: core + profile, code, display, category: 'vital-signs', unit, shown } as const
}

const wheel = kinds.flatMap((kind) => Array<Kind>(kind.share).fill(kind))
const categories = 'http://terminology.hl7.org/CodeSystem/observation-category'

export const idOf = (number: number): string => `vital-${number.toString(36)}`

/** ms: a reading each few seconds, so that the last one was today. */
export const measuredAt = (number: number, count: number, until: number, everyMs = 2_000): number =>
  until - (count - number) * everyMs

/** FHIR JSON of observation `number` of a patient, without id: `id` is the loader's, or the server's. */
export function observationText(number: number, patient: string, at: number): string {
  const chance = chances(number)
  const kind = wheel[Math.floor(chance() * wheel.length)]!
  const category = `[{"coding":[{"system":"${categories}","code":"${kind.category}"}]}]`
  const coding = `{"coding":[{"system":"http://loinc.org","code":"${kind.code}","display":"${kind.display}"}],"text":"${kind.display}"}`
  const time = new Date(at).toISOString()
  const profile = kind.profile === undefined ? '' : `"meta":{"profile":["${kind.profile}"]},`
  const head =
    `{"resourceType":"Observation",${profile}"identifier":[{"system":"urn:bench:messages","value":"${number}-${hash(number)}"}],` +
    `"status":"final","category":${category},"code":${code(kind, coding)},"subject":{"reference":"Patient/${patient}"},` +
    `"effectiveDateTime":"${time}","issued":"${time}"`
  const value = measured(kind, chance)
  const device = `"device":{"display":"Monitor ${Math.floor(chance() * 9000) + 1000}"}`
  const note = chance() < 0.2 ? `,"note":[{"text":"Measured at rest, sitting, message ${hash(number)}"}]` : ''
  const body =
    kind.code === '85354-9'
      ? `"component":[${component('8480-6', 'Systolic blood pressure', value)},${component('8462-4', 'Diastolic blood pressure', String(Math.round(Number(value) * 0.62)))}]`
      : `"valueQuantity":${quantity(value, kind.shown, kind.unit)},"referenceRange":[{"low":${quantity(edge(kind, -1), kind.shown, kind.unit)},"high":${quantity(edge(kind, 1), kind.shown, kind.unit)}}]`
  return `${head},${device}${note},${body}}`
}

export const observationTree = (number: number, patient: string, at: number): FhirTree =>
  parseFhir(observationText(number, patient, at))

/** US Core asks an oximeter's value for both codes. */
function code(kind: Kind, coding: string): string {
  if (kind.code !== '59408-5') return coding
  return coding.replace(
    ']',
    ',{"system":"http://loinc.org","code":"2708-6","display":"Oxygen saturation in Arterial blood"}]',
  )
}

const component = (code: string, display: string, value: string): string =>
  `{"code":{"coding":[{"system":"http://loinc.org","code":"${code}","display":"${display}"}]},"valueQuantity":${quantity(value, 'mmHg', 'mm[Hg]')}}`

const quantity = (value: string, shown: string, unit: string): string =>
  `{"value":${value},"unit":"${shown}","system":"http://unitsofmeasure.org","code":"${unit}"}`

const edge = ({ mean, spread, decimals }: Kind, side: 1 | -1): string => (mean + side * 2 * spread).toFixed(decimals)

/** Near normal: the sum of four chances. */
function measured({ mean, spread, decimals, unit }: Kind, chance: () => number): string {
  const around = (chance() + chance() + chance() + chance() - 2) * 1.7
  const value = Math.max(1, mean + around * spread)
  return (unit === '%' ? Math.min(100, value) : value).toFixed(decimals)
}

const hash = (number: number): string => createHash('sha1').update(String(number)).digest('hex').slice(0, 12)

/** mulberry32: small, and good enough to spread values. */
export function chances(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
