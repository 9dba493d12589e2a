/** A small record of every type that is searched, the same for the same seed, with the odd cases that searches trip over. */
import type { Resource } from '@careloop/fhir'

type Json = Readonly<Record<string, unknown>>
const loinc = 'http://loinc.org'
const ucum = 'http://unitsofmeasure.org'
const mdc = 'urn:iso:std:iso:11073:10101'
const categories = 'http://terminology.hl7.org/CodeSystem/observation-category'

/** Deterministic choices (mulberry32). */
export function chancesOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface World {
  readonly chance: () => number
  pick<T>(list: readonly T[]): T
  maybe<T extends Json>(share: number, make: () => T): T | Record<never, never>
}

/** Patients first: others are about them. Some would not be let in at the door; a search must hold for what lies in the store. */
export function searchCorpus(seed: number, observations: number): readonly Resource[] {
  const chance = chancesOf(seed)
  const world: World = {
    chance,
    pick: (list) => list[Math.floor(chance() * list.length)]!,
    maybe: (share, make) => (chance() < share ? make() : {}),
  }
  const numbered = (count: number, make: (world: World, number: number) => Json) =>
    Array.from({ length: count }, (_, number) => make(world, number) as unknown as Resource)
  return [
    ...numbered(3, organization),
    ...numbered(10, patient),
    ...numbered(5, practitioner),
    ...numbered(6, encounter),
    ...numbered(observations, observation),
    ...numbered(8, task),
    ...numbered(8, questionnaireResponse),
    ...numbered(8, serviceRequest),
    ...numbered(8, provenance),
    ...numbered(5, group),
    ...numbered(5, questionnaire),
  ]
}

const families = ['Müller', 'Muller', 'Smith', 'Smithson', "O'Neil", 'de la Cruz', 'Østergård', 'Li']
const givens = ['Ana', 'Åsa', 'Jörg', 'Mary Ann', 'Li', 'Zoë']
const dates = ['2024', '2024-06', '2024-06-15', '2025-01-01', '2025-03-09T02:30:00Z', '2025-03-09T12:00:00+05:30']
const moments = [...dates, '2025-12-31T23:59:59.999Z', '2026-01-01T00:00:00-08:00', '2026-01-15T08:00:00Z', '2023-02']

const concept = (system: string | null, code: string, display?: string): Json => ({
  coding: [{ ...(system === null ? {} : { system }), code, ...(display === undefined ? {} : { display }) }],
})

const organization = ({ pick }: World, number: number): Json => ({
  ...{ resourceType: 'Organization', id: `org-${number}`, active: number > 0, name: `${pick(families)} Clinic` },
  identifier: [{ system: 'urn:org', value: `O${number}` }],
  telecom: [{ system: 'phone', value: `+1 555 010${number}` }],
  ...(number === 0 ? {} : { partOf: { reference: 'Organization/org-0' } }),
})

const patient = ({ pick, maybe, chance }: World, number: number): Json => ({
  ...{
    resourceType: 'Patient',
    id: `pat-${number}`,
    active: chance() < 0.8,
    gender: pick(['male', 'female', 'other']),
  },
  identifier: [
    {
      system: 'urn:mrn',
      value: `MRN${number}`,
      type: concept('http://terminology.hl7.org/CodeSystem/v2-0203', 'MR', 'Medical record'),
    },
  ],
  name: [{ family: pick(families), given: [pick(givens)], ...maybe(0.3, () => ({ text: 'Dr. Some One' })) }],
  birthDate: pick(['1970-01-01', '1970-01-02', '1955-12', '2001']),
  address: [{ city: pick(['Köln', 'Koln', 'Springfield']), postalCode: `5066${number}`, line: ['1 Main  St'] }],
  telecom: [
    { system: 'email', value: `Person${number}@Example.org`, use: 'home' },
    { system: 'phone', value: `555-${number}` },
  ],
  ...maybe(0.5, () => ({ managingOrganization: { reference: `Organization/org-${number % 3}` } })),
  ...maybe(0.5, () => ({ generalPractitioner: [{ reference: `Practitioner/prac-${number % 5}` }] })),
})

const practitioner = ({ pick }: World, number: number): Json => ({
  ...{ resourceType: 'Practitioner', id: `prac-${number}`, active: true },
  name: [{ family: pick(families), given: [pick(givens)] }],
  identifier: [{ system: 'urn:npi', value: `N${number}` }],
})

const encounter = ({ pick, maybe }: World, number: number): Json => ({
  ...{ resourceType: 'Encounter', id: `enc-${number}`, status: pick(['finished', 'in-progress']) },
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: pick(['AMB', 'IMP']) },
  subject: { reference: `Patient/pat-${number % 10}` },
  period: { start: pick(moments), ...maybe(0.6, () => ({ end: '2026-02-01' })) },
  ...maybe(0.5, () => ({ length: { value: pick([30, 45, 1]), system: ucum, code: pick(['min', 'h']) } })),
})

interface Kind {
  readonly codings: readonly Json[]
  readonly units: readonly (readonly [code: string, factor: number])[]
  readonly mean: number
}
const kinds: readonly Kind[] = [
  {
    codings: [
      { system: loinc, code: '8867-4', display: 'Heart rate' },
      { system: mdc, code: '147842' },
    ],
    units: [['/min', 1]],
    mean: 75,
  },
  {
    codings: [{ system: loinc, code: '29463-7', display: 'Body weight' }],
    units: [
      ['kg', 1],
      ['[lb_av]', 2.20462],
      ['g', 1000],
    ],
    mean: 70,
  },
  { codings: [{ system: loinc, code: '8310-5', display: 'Body temperature' }], units: [['Cel', 1]], mean: 37 },
  {
    codings: [{ system: loinc, code: '2339-0', display: 'Glucose' }],
    units: [
      ['mg/dL', 18],
      ['g/L', 0.18],
    ],
    mean: 5.5,
  },
  {
    codings: [{ system: 'urn:local', code: '8867-4', display: 'Something local' }],
    units: [
      ['kPa', 1],
      ['mm[Hg]', 7.5],
    ],
    mean: 16,
  },
]

function measuredValue({ pick, chance }: World, { units, mean }: Kind): Json {
  const [code, factor] = pick(units)
  const value = Number((mean * factor * (0.7 + chance() * 0.6)).toPrecision(pick([2, 3, 4])))
  const kind = chance()
  if (kind < 0.05)
    return { valueCodeableConcept: { ...concept('urn:answers', pick(['yes', 'no']), 'An answer'), text: 'Said so' } }
  if (kind < 0.1) return { valueString: pick(['Fine', 'fïne enough', 'Not fine']) }
  if (kind < 0.14)
    return { dataAbsentReason: concept('http://terminology.hl7.org/CodeSystem/data-absent-reason', 'error') }
  if (kind < 0.18)
    return {
      valueSampledData: {
        origin: { value: mean * factor, system: ucum, code },
        period: 10,
        factor: 0.5,
        dimensions: 1,
        data: '0 4 -3 E 10',
      },
    }
  const comparator = kind < 0.22 ? { comparator: pick(['<', '>', '>=']) } : {}
  return { valueQuantity: { value, system: ucum, code, unit: code, ...comparator } }
}

function observation(world: World, number: number): Json {
  const { pick, maybe, chance } = world
  const kind = pick(kinds)
  const isPanel = chance() < 0.2
  const effective: Json =
    chance() < 0.75
      ? { effectiveDateTime: pick(moments) }
      : chance() < 0.8
        ? { effectivePeriod: { start: pick(moments), ...maybe(0.5, () => ({ end: '2026-06-01T00:00:00Z' })) } }
        : {}
  const pressure = (code: string, mean: number) => ({
    code: concept(loinc, code),
    valueQuantity: { value: Math.round(mean * (0.8 + chance() * 0.5)), system: ucum, code: 'mm[Hg]', unit: 'mmHg' },
  })
  return {
    ...{ resourceType: 'Observation', id: `obs-${number}`, status: pick(['final', 'final', 'preliminary']) },
    ...maybe(0.2, () => ({
      meta: { tag: [{ system: 'urn:tags', code: pick(['a', 'b']) }], security: [{ system: 'urn:sec', code: 'HTEST' }] },
    })),
    ...maybe(0.8, () => ({ category: [concept(categories, pick(['vital-signs', 'vital-signs', 'laboratory']))] })),
    code: isPanel ? concept(loinc, '85354-9', 'Blood pressure') : { coding: kind.codings, text: 'As measured' },
    subject: { reference: `Patient/pat-${Math.floor(chance() * 10)}` },
    ...effective,
    ...maybe(0.3, () => ({ identifier: [{ system: 'urn:obs', value: `V${number % 20}` }] })),
    ...maybe(0.3, () => ({
      performer: [{ reference: `Practitioner/prac-${number % 5}` }, { reference: 'Organization/org-1' }],
    })),
    ...maybe(0.2, () => ({ encounter: { reference: `Encounter/enc-${number % 6}` } })),
    ...maybe(0.2, () => ({ device: { identifier: { system: 'urn:udi', value: `D${number % 4}` }, type: 'Device' } })),
    ...maybe(0.15, () => ({ hasMember: [{ reference: `Observation/obs-${(number * 7) % 40}` }] })),
    ...(isPanel ? { component: [pressure('8480-6', 125), pressure('8462-4', 80)] } : measuredValue(world, kind)),
  }
}

const task = ({ pick, maybe }: World, number: number): Json => ({
  ...{ resourceType: 'Task', id: `task-${number}`, status: pick(['requested', 'completed']), intent: 'order' },
  ...{ priority: pick(['routine', 'urgent']), authoredOn: pick(moments), description: 'Look' },
  for: { reference: `Patient/pat-${number % 10}` },
  ...maybe(0.7, () => ({ owner: { reference: `Practitioner/prac-${number % 5}` } })),
  ...maybe(0.5, () => ({ focus: { reference: `Observation/obs-${number}` } })),
})

const questionnaireResponse = ({ pick, maybe }: World, number: number): Json => ({
  ...{ resourceType: 'QuestionnaireResponse', id: `answer-${number}`, status: 'completed', authored: pick(moments) },
  questionnaire: pick(['http://forms.example/a|1', 'http://forms.example/a', 'http://forms.example/b|2.0']),
  subject: { reference: `Patient/pat-${number % 10}` },
  ...maybe(0.5, () => ({ author: { reference: `Practitioner/prac-${number % 5}` } })),
})

const serviceRequest = ({ pick }: World, number: number): Json => ({
  ...{ resourceType: 'ServiceRequest', id: `order-${number}`, status: 'active', intent: pick(['order', 'plan']) },
  code: concept('urn:orders', pick(['x', 'y']), 'An order'),
  subject: { reference: `Patient/pat-${number % 10}` },
  ...pick<Json>([{}, { occurrenceDateTime: pick(moments) }, { occurrencePeriod: { end: pick(moments) } }]),
  ...{ authoredOn: pick(moments), instantiatesUri: ['http://protocols.example/one/two'] },
})

const provenance = ({ pick }: World, number: number): Json => ({
  ...{
    resourceType: 'Provenance',
    id: `prov-${number}`,
    recorded: pick(['2025-01-01T00:00:00Z', '2026-01-01T10:00:00.5Z']),
  },
  target: [
    { reference: `Observation/obs-${number}` },
    ...(number % 2 === 0 ? [{ reference: `Patient/pat-${number}` }] : []),
  ],
  agent: [{ who: { reference: `Practitioner/prac-${number % 5}` } }],
})

const group = ({ pick, maybe }: World, number: number): Json => ({
  ...{ resourceType: 'Group', id: `group-${number}`, type: 'person', actual: pick([true, false]) },
  characteristic: [
    {
      code: concept('urn:c', pick(['k', 'l'])),
      valueCodeableConcept: concept('urn:v', pick(['m', 'n'])),
      exclude: false,
    },
  ],
  ...maybe(0.7, () => ({ managingEntity: { reference: `Practitioner/prac-${number % 5}` } })),
})

const questionnaire = ({ pick }: World, number: number): Json => ({
  ...{
    resourceType: 'Questionnaire',
    id: `form-${number}`,
    status: pick(['draft', 'active']),
    title: `${pick(families)} score`,
  },
  url: pick(['http://forms.example/a', 'http://forms.example/a/deep', 'http://forms.example/ab']),
  ...{ version: `${number}`, date: pick(moments.filter((moment) => !moment.includes('T'))) },
  useContext: [
    { code: { system: 'urn:use', code: 'age' }, valueQuantity: { value: 10 + number, system: ucum, code: 'a' } },
  ],
})
