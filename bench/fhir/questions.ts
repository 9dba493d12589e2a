/** What is asked of the record, and what each answer must hold for its time to count. */
import type { Resource } from '../../packages/fhir/src/index.ts'
import { type Loaded, patientOf } from './load.ts'
import { chances, idOf, measuredAt, observationText } from './observations.ts'
import { type Answer, type Asked, mustBe } from './requests.ts'

export interface Question {
  readonly name: string
  next(number: number): Asked
  check(answer: Answer, number: number): void
}

const base = '/fhir/R4'
const day = 86_400_000

interface Found {
  readonly entry?: readonly { readonly resource: Resource }[]
}

/** Looking into every answer would take the server's time: each of the first, then some. */
const isLookedInto = (number: number): boolean => number < 50 || number % 50 === 0

const found = (answer: Answer): readonly Resource[] =>
  ((JSON.parse(answer.text) as Found).entry ?? []).map(({ resource }) => resource)

/** The newest vital signs of one patient, as a chart shows them. */
export const vitals = (loaded: Loaded): Question => ({
  name: 'vitalsSearchP95Ms',
  next: (number) => ({
    method: 'GET',
    path: `${base}/Observation?patient=${one(loaded, number)}&category=vital-signs&date=ge${new Date(loaded.until - 30 * day).toISOString().slice(0, 10)}&_sort=-date&_count=20`,
  }),
  check(answer, number) {
    mustBe(200, answer)
    if (!isLookedInto(number)) return
    const times = found(answer).map(({ effectiveDateTime }) => String(effectiveDateTime))
    assertIs(times.length > 0 && times.every((time, at) => at === 0 || time <= times[at - 1]!), 'newest first', answer)
    assertIs(
      found(answer).every((each) => isOf(each, one(loaded, number))),
      'of the patient',
      answer,
    )
  },
})

/** The last of each vital sign of one patient. */
export const lastVitals = (loaded: Loaded): Question => ({
  name: 'lastVitalsP95Ms',
  next: (number) => ({
    method: 'GET',
    path: `${base}/Observation/$lastn?patient=${one(loaded, number)}&category=vital-signs&max=1`,
  }),
  check(answer, number) {
    mustBe(200, answer)
    if (!isLookedInto(number)) return
    const codes = found(answer).map(({ code }) => JSON.stringify(code))
    assertIs(codes.length > 0 && new Set(codes).size === codes.length, 'each once', answer)
    assertIs(
      found(answer).every((each) => isOf(each, one(loaded, number))),
      'of the patient',
      answer,
    )
  },
})

/** What came last, of everybody. */
export const lastUpdated = (loaded: Loaded): Question => ({
  name: 'lastUpdatedSortP95Ms',
  next: (number) => {
    const until = measuredAt(
      Math.floor(loaded.observations * (0.5 + chances(number)() / 2)),
      loaded.observations,
      loaded.until,
    )
    const narrowed = number % 2 === 0 ? '' : `&_lastUpdated=lt${new Date(until).toISOString()}`
    return { method: 'GET', path: `${base}/Observation?_sort=-_lastUpdated&_count=20${narrowed}` }
  },
  check(answer, number) {
    mustBe(200, answer)
    if (!isLookedInto(number)) return
    const times = found(answer).map(({ meta }) => String(meta?.lastUpdated))
    assertIs(times.length === 20 && times.every((time, at) => at === 0 || time <= times[at - 1]!), 'last first', answer)
  },
})

interface Limit {
  readonly code: string
  readonly value: number
  readonly unit: string
}
/** Beyond them lie few to some thousands of a million; some are asked in another unit than the one they were measured in. */
const limits: readonly Limit[] = [
  { code: '8867-4', value: 112, unit: '/min' },
  { code: '8310-5', value: 38.2, unit: 'Cel' },
  { code: '8310-5', value: 100.8, unit: '[degF]' },
  { code: '2339-0', value: 200, unit: 'mg/dL' },
  { code: '2339-0', value: 11.2, unit: 'mmol/L' },
  { code: '29463-7', value: 120, unit: 'kg' },
  { code: '29463-7', value: 265, unit: '[lb_av]' },
  { code: '9279-1', value: 24, unit: '/min' },
]

/** Who was beyond a limit, of everybody. */
export const quantity = (): Question => ({
  name: 'quantitySearchP95Ms',
  next: (number) => {
    const { code, value, unit } = limits[number % limits.length]!
    const asked = (value + chances(number)() * value * 0.02).toFixed(2)
    const pair = `${code}$gt${asked}|http://unitsofmeasure.org|${unit}`
    return { method: 'GET', path: `${base}/Observation?code-value-quantity=${encodeURIComponent(pair)}&_count=20` }
  },
  check(answer, number) {
    mustBe(200, answer)
    if (!isLookedInto(number)) return
    const { code } = limits[number % limits.length]!
    assertIs(
      found(answer).every((each) => JSON.stringify(each.code).includes(code)),
      'of the code',
      answer,
    )
  },
})

/** One Observation by its id. */
export const reads = (loaded: Loaded): Question => ({
  name: 'readsPerSecond',
  next: (number) => ({ method: 'GET', path: `${base}/Observation/${idOf(some(loaded, number))}` }),
  check: (answer) => mustBe(200, answer),
})

/** @param from number of the first that is not loaded yet: bodies are no others' */
export const creates = (loaded: Loaded, from: number): Question => ({
  name: 'createPerSecond',
  next: (number) => ({ method: 'POST', path: `${base}/Observation`, body: body(loaded, from + number) }),
  check: (answer) => mustBe(201, answer),
})

export const bundles = (loaded: Loaded, from: number, size: number): Question => ({
  name: 'bundleResourcesPerSecond',
  next: (number) => {
    const entries = Array.from({ length: size }, (_, at) => {
      const resource = body(loaded, from + number * size + at)
      return `{"fullUrl":"urn:uuid:${fullUrl(number, at)}","resource":${resource},"request":{"method":"POST","url":"Observation"}}`
    })
    return {
      method: 'POST',
      path: base,
      body: `{"resourceType":"Bundle","type":"transaction","entry":[${entries.join(',')}]}`,
    }
  },
  check: (answer) => mustBe(200, answer),
})

const fullUrl = (number: number, at: number): string =>
  `${number.toString(16).padStart(8, '0')}-0000-4000-8000-${at.toString(16).padStart(12, '0')}`

const body = (loaded: Loaded, number: number): string =>
  observationText(number, patientOf(loaded, number), loaded.until + (number - loaded.observations))

const one = ({ patients }: Loaded, number: number): string => patients[Math.floor(chances(number)() * patients.length)]!
const some = ({ observations }: Loaded, number: number): number => Math.floor(chances(number)() * observations)
const isOf = ({ subject }: Resource, patient: string): boolean => JSON.stringify(subject).includes(`Patient/${patient}`)

function assertIs(holds: boolean, what: string, answer: Answer): void {
  if (!holds) throw new Error(`the answer is not ${what}: ${answer.text.slice(0, 500)}`)
}
