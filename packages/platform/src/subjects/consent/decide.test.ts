import { type ConsentPurpose, consentPurposes, granteeKinds, part2Labels, signalClasses } from '@careloop/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Asker, type ConsentQuestion, type ConsentTerms, decide, isInForce, type SharedThing } from './decide.ts'

const NOW = 1_000_000

let made = 0
/** A permission of everything for the daughter, from long ago, unless said otherwise. */
const consent = (over: Partial<ConsentTerms> = {}): ConsentTerms => ({
  ...{ id: `c${made++}`, status: 'active', decision: 'permit', grantee: { kind: 'caregiver', id: 'daughter' } },
  ...{ classes: [], purposes: [], labels: [], from: 0, until: null, endedAt: null },
  ...over,
})
const refusal = (over: Partial<ConsentTerms> = {}) => consent({ decision: 'deny', ...over })

const daughter: Asker = { kind: 'caregiver', id: 'daughter' }
const neighbour: Asker = { kind: 'caregiver', id: 'neighbour' }
const lab: Asker = { kind: 'integration', id: 'lab', own: false }
const ehr: Asker = { kind: 'integration', id: 'ehr', own: true }
const study: Asker = { kind: 'research', id: 'study-1' }
const nurse: Asker = { kind: 'clinician', programs: [], isEmergency: false }
const counsellor: Asker = { kind: 'clinician', programs: ['recovery'], isEmergency: false }
const emergency: Asker = { kind: 'clinician', programs: [], isEmergency: true }

const vitals: SharedThing = { class: 'vital-signs', labels: [] }
const place: SharedThing = { class: 'location', labels: [] }
const person: SharedThing = { class: 'person', labels: [] }
const unknown: SharedThing = { class: null, labels: [] }
const sud: SharedThing = { class: 'vital-signs', labels: ['SUD'], labelledBy: [['recovery']] }
const both: SharedThing = { class: 'vital-signs', labels: ['ETH', 'SUD'], labelledBy: [['recovery']] }

const toLab = { kind: 'integration', id: 'lab' } as const
const toStudy = { kind: 'research', id: 'study-1' } as const
const toTreatment = { kind: 'treatment', id: null } as const

const ask = (asker: Asker, what: SharedThing, over: Partial<ConsentQuestion> = {}) => {
  const purpose: ConsentPurpose =
    asker.kind === 'caregiver' ? 'PATRQT' : asker.kind === 'research' ? 'HRESCH' : ('TREAT' as const)
  const { decision, because, obligations } = decide({
    ...{ consents: [], asker, what, purpose, at: NOW, holdsPart2: true },
    ...over,
  })
  return [decision, because, ...obligations].join(' ')
}

type Row = readonly [says: string, answer: string, asker: Asker, what: SharedThing, over?: Partial<ConsentQuestion>]

const rows: readonly Row[] = [
  ['the person sees their own', 'permit own-record', { kind: 'self' }, vitals],
  ['the person sees their own under Part 2', 'permit own-record', { kind: 'self' }, both],
  [
    'the person sees their own also when they forbade all others',
    'permit own-record',
    { kind: 'self' },
    vitals,
    { consents: [refusal()] },
  ],
  // caregivers
  ['a caregiver without a consent sees no reading', 'deny no-consent', daughter, vitals],
  ['a caregiver without a consent does not know of the person', 'deny no-consent', daughter, person],
  ['a caregiver sees what was permitted', 'permit consent', daughter, vitals, { consents: [consent()] }],
  ['another caregiver does not', 'deny no-consent', neighbour, vitals, { consents: [consent()] }],
  [
    'a class that was named is seen',
    'permit consent',
    daughter,
    vitals,
    { consents: [consent({ classes: ['vital-signs'] })] },
  ],
  [
    'a class that was not named is not',
    'deny no-consent',
    daughter,
    place,
    { consents: [consent({ classes: ['vital-signs'] })] },
  ],
  [
    'who sees any class knows the person',
    'permit consent',
    daughter,
    person,
    { consents: [consent({ classes: ['activity'] })] },
  ],
  [
    'two consents add up',
    'permit consent',
    daughter,
    place,
    {
      consents: [consent({ classes: ['vital-signs'] }), consent({ classes: ['location'] })],
    },
  ],
  [
    'what has no class needs a consent for all',
    'deny no-consent',
    daughter,
    unknown,
    { consents: [consent({ classes: ['vital-signs'] })] },
  ],
  ['a consent for all covers what has no class', 'permit consent', daughter, unknown, { consents: [consent()] }],
  [
    'a consent for another purpose is none',
    'deny no-consent',
    daughter,
    vitals,
    { consents: [consent({ purposes: ['HRESCH'] })] },
  ],
  [
    'a consent that begins later is none yet',
    'deny no-consent',
    daughter,
    vitals,
    {
      consents: [consent({ from: NOW + 1 })],
    },
  ],
  [
    'a consent counts from its first moment',
    'permit consent',
    daughter,
    vitals,
    { consents: [consent({ from: NOW })] },
  ],
  ['a consent ends at its end', 'deny no-consent', daughter, vitals, { consents: [consent({ until: NOW })] }],
  ['a consent counts until its end', 'permit consent', daughter, vitals, { consents: [consent({ until: NOW + 1 })] }],
  [
    'a consent that was withdrawn is none',
    'deny no-consent',
    daughter,
    vitals,
    { consents: [consent({ status: 'inactive', endedAt: NOW })] },
  ],
  [
    'what was shared before a withdrawal was shared rightly',
    'permit consent',
    daughter,
    vitals,
    { consents: [consent({ status: 'inactive', endedAt: NOW + 1 })] },
  ],
  [
    'an error in recording never counted',
    'deny no-consent',
    daughter,
    vitals,
    { consents: [consent({ status: 'entered-in-error', endedAt: NOW + 1 })] },
  ],
  [
    'a consent for treatment is none for caregivers',
    'deny no-consent',
    daughter,
    vitals,
    { consents: [consent({ grantee: toTreatment })] },
  ],
  ['a refusal goes before a permission', 'deny consent-denies', daughter, vitals, { consents: [consent(), refusal()] }],
  ['whichever came first', 'deny consent-denies', daughter, vitals, { consents: [refusal(), consent()] }],
  [
    'a refusal of one class leaves the others',
    'permit consent',
    daughter,
    vitals,
    {
      consents: [consent(), refusal({ classes: ['location'] })],
    },
  ],
  [
    'and takes its own',
    'deny consent-denies',
    daughter,
    place,
    {
      consents: [consent(), refusal({ classes: ['location'] })],
    },
  ],
  [
    'a refusal of one class takes what has no class',
    'deny consent-denies',
    daughter,
    unknown,
    {
      consents: [consent(), refusal({ classes: ['location'] })],
    },
  ],
  [
    'a refusal of one class leaves the person known',
    'permit consent',
    daughter,
    person,
    {
      consents: [consent(), refusal({ classes: ['location'] })],
    },
  ],
  [
    'a refusal of all takes the person too',
    'deny consent-denies',
    daughter,
    person,
    {
      consents: [consent(), refusal()],
    },
  ],
  [
    'a refusal that was withdrawn refuses nothing',
    'permit consent',
    daughter,
    vitals,
    {
      consents: [consent(), refusal({ status: 'inactive', endedAt: NOW })],
    },
  ],
  [
    'a refusal for one caregiver is none for another',
    'permit consent',
    neighbour,
    vitals,
    {
      consents: [consent({ grantee: { kind: 'caregiver', id: 'neighbour' } }), refusal()],
    },
  ],
  // integrations and research
  ['a system outside without a consent gets nothing', 'deny no-consent', lab, vitals],
  [
    'a system outside gets what was permitted',
    'permit consent',
    lab,
    vitals,
    {
      consents: [consent({ grantee: toLab })],
    },
  ],
  [
    'a consent for all treatment reaches a system that treats',
    'permit consent',
    lab,
    vitals,
    {
      consents: [consent({ grantee: toTreatment })],
    },
  ],
  [
    'and not one that studies',
    'deny no-consent',
    lab,
    vitals,
    {
      ...{ consents: [consent({ grantee: toTreatment })], purpose: 'HRESCH' },
    },
  ],
  ['a program of the organisation itself treats without consent', 'permit own-service', ehr, vitals],
  ['but gives nothing to research', 'deny no-consent', ehr, vitals, { purpose: 'HRESCH' }],
  ['and sees nothing under Part 2', 'deny no-consent', ehr, sud],
  ['a study without a consent gets nothing', 'deny no-consent', study, vitals],
  ['a study gets what was permitted', 'permit consent', study, vitals, { consents: [consent({ grantee: toStudy })] }],
  [
    'a consent for treatment is none for a study',
    'deny no-consent',
    study,
    vitals,
    {
      consents: [consent({ grantee: toTreatment })],
    },
  ],
  // clinicians
  ['a clinician treats without consent', 'permit treatment', nurse, vitals],
  [
    'a clinician treats also whom a refusal keeps from others',
    'permit treatment',
    nurse,
    vitals,
    {
      consents: [refusal({ grantee: toTreatment })],
    },
  ],
  // 42 CFR Part 2
  ['Part 2 is for the team of the program', 'permit program-team', counsellor, sud],
  [
    'and for the team of each program that labels it',
    'deny part2-program-team-only',
    counsellor,
    { ...sud, labelledBy: [['recovery'], ['alcohol']] },
  ],
  [
    'of two that measure the same either is enough',
    'permit program-team',
    counsellor,
    { ...sud, labelledBy: [['alcohol', 'recovery']] },
  ],
  [
    'a label of which nobody knows the program is for no team',
    'deny part2-program-team-only',
    counsellor,
    { class: 'vital-signs', labels: ['SUD'] },
  ],
  ['and for no other clinician', 'deny part2-program-team-only', nurse, sud],
  [
    'unless the patient consented to treatment with it',
    'permit consent redisclosure-notice',
    nurse,
    sud,
    {
      consents: [consent({ grantee: toTreatment, labels: ['SUD'] })],
    },
  ],
  [
    'a consent to treatment without it is not enough',
    'deny part2-consent-needed',
    nurse,
    sud,
    {
      consents: [consent({ grantee: toTreatment })],
    },
  ],
  ['in a medical emergency it is seen', 'permit emergency redisclosure-notice', emergency, sud],
  ['an organisation that holds none treats as ever', 'permit treatment', nurse, sud, { holdsPart2: false }],
  ['a caregiver with a consent does not get it', 'deny part2-consent-needed', daughter, sud, { consents: [consent()] }],
  [
    'nor where the organisation says that it holds none',
    'deny part2-consent-needed',
    daughter,
    sud,
    {
      ...{ consents: [consent()], holdsPart2: false },
    },
  ],
  [
    'a consent that names it gives it, with the notice',
    'permit consent redisclosure-notice',
    daughter,
    sud,
    {
      consents: [consent({ labels: ['SUD'] })],
    },
  ],
  [
    'every label must be covered',
    'deny part2-consent-needed',
    daughter,
    both,
    {
      consents: [consent({ labels: ['SUD'] }), consent({ labels: ['ETH'] })],
    },
  ],
  [
    'by one consent',
    'permit consent redisclosure-notice',
    daughter,
    both,
    {
      consents: [consent({ labels: ['ETH', 'SUD'] })],
    },
  ],
  [
    'a consent with the label gives the rest too, without a notice',
    'permit consent',
    daughter,
    vitals,
    {
      consents: [consent({ labels: ['SUD'] })],
    },
  ],
  [
    'a refusal of what is labelled leaves the rest',
    'permit consent',
    daughter,
    vitals,
    {
      consents: [consent({ labels: ['SUD'] }), refusal({ labels: ['SUD'] })],
    },
  ],
  [
    'and takes what is labelled',
    'deny consent-denies',
    daughter,
    both,
    {
      consents: [consent({ labels: ['ETH', 'SUD'] }), refusal({ labels: ['SUD'] })],
    },
  ],
  // courts
  [
    'legal proceedings without an order get nothing',
    'deny court-order-needed',
    lab,
    vitals,
    {
      ...{ purpose: 'HLEGAL', consents: [consent({ grantee: toLab, purposes: ['HLEGAL'] })] },
    },
  ],
  ['a blank order is none', 'deny court-order-needed', lab, sud, { purpose: 'HLEGAL', courtOrder: '  ' }],
  ['nor does a clinician for them', 'deny court-order-needed', nurse, vitals, { purpose: 'HLEGAL' }],
  [
    'with an order they do, with the notice',
    'permit court-order redisclosure-notice',
    lab,
    sud,
    {
      ...{ purpose: 'HLEGAL', courtOrder: '4:26-cv-00117' },
    },
  ],
]

describe('consent > decides', () => {
  for (const [says, answer, asker, what, over] of rows)
    test(`${says}: ${answer}`, () => {
      expect(ask(asker, what, over)).toBe(answer)
    })
  test('the table has at least forty rows, each with its own words', () => {
    expect(rows.length).toBeGreaterThanOrEqual(40)
    expect(new Set(rows.map(([says]) => says)).size).toBe(rows.length)
  })
})

// ---------------------------------------------------------------- whatever was consented

const ids = fc.constantFrom('daughter', 'lab', 'study-1')
const times = fc.integer({ min: 0, max: 2 * NOW })
const grantees = fc
  .tuple(fc.constantFrom(...granteeKinds), ids)
  .map(([kind, id]) => ({ kind, id: kind === 'treatment' ? null : id }))
const someConsent: fc.Arbitrary<ConsentTerms> = fc.record({
  id: fc.uuid(),
  status: fc.constantFrom('active', 'inactive', 'entered-in-error'),
  decision: fc.constantFrom('permit', 'deny'),
  grantee: grantees,
  classes: fc.subarray([...signalClasses], { maxLength: 3 }),
  purposes: fc.subarray([...consentPurposes], { maxLength: 3 }),
  labels: fc.subarray([...part2Labels]),
  from: times,
  until: fc.option(times),
  endedAt: fc.option(times),
})
const someAsker: fc.Arbitrary<Asker> = fc.oneof(
  ids.map((id): Asker => ({ kind: 'caregiver', id })),
  ids.map((id): Asker => ({ kind: 'integration', id, own: false })),
  ids.map((id): Asker => ({ kind: 'research', id })),
)
const someQuestion: fc.Arbitrary<ConsentQuestion> = fc.record({
  consents: fc.uniqueArray(someConsent, { maxLength: 6, selector: ({ id }) => id }),
  asker: someAsker,
  what: fc.record({
    class: fc.constantFrom(...signalClasses, 'person' as const, null),
    labels: fc.subarray([...part2Labels]),
  }),
  purpose: fc.constantFrom(...consentPurposes.filter((purpose) => purpose !== 'HLEGAL')),
  at: times,
  holdsPart2: fc.boolean(),
})

/** A refusal of everything to this asker, which stands. */
const refusalOf = (asker: Asker): ConsentTerms => ({
  ...refusal(),
  id: 'z',
  grantee: { kind: asker.kind as 'caregiver', id: 'id' in asker ? asker.id : null },
})

describe('consent > whatever was consented', () => {
  test('a refusal overrides every permission', () => {
    fc.assert(
      fc.property(someQuestion, (question) => {
        const consents = [...question.consents, refusalOf(question.asker)]
        expect(decide({ ...question, consents })).toMatchObject({ decision: 'deny', because: 'consent-denies' })
      }),
    )
  })

  test('without a permission that stands, caregivers, systems outside and studies get nothing', () => {
    fc.assert(
      fc.property(someQuestion, (question) => {
        const consents = question.consents.filter((each) => each.decision === 'deny' || !isInForce(each, question.at))
        expect(decide({ ...question, consents }).decision).toBe('deny')
      }),
    )
  })

  test('a withdrawal changes nothing before its moment, and from then on it is as if it had not been given', () => {
    fc.assert(
      fc.property(someQuestion, fc.nat(), times, (question, pick, endedAt) => {
        fc.pre(question.consents.length > 0)
        const given = question.consents.map((each) => ({ ...each, status: 'active' as const, endedAt: null }))
        const index = pick % given.length
        const withdrawn = given.map((each, at) =>
          at === index ? { ...each, status: 'inactive' as const, endedAt } : each,
        )
        const without = given.filter((_each, at) => at !== index)
        const after = decide({ ...question, consents: withdrawn })
        expect(after).toEqual(decide({ ...question, consents: question.at < endedAt ? given : without }))
      }),
    )
  })

  test('the order of consents does not matter', () => {
    const shuffled = someQuestion.chain((question) =>
      fc
        .shuffledSubarray([...question.consents], { minLength: question.consents.length })
        .map((consents) => ({ question, consents })),
    )
    fc.assert(
      fc.property(shuffled, ({ question, consents }) => {
        expect(decide({ ...question, consents })).toEqual(decide(question))
      }),
    )
  })

  test('what bears a label is permitted only by a consent that names it, and never without the notice', () => {
    fc.assert(
      fc.property(someQuestion, (question) => {
        fc.pre(question.what.labels.length > 0)
        const { decision, consent: id, obligations } = decide(question)
        if (decision === 'deny') return
        const decisive = question.consents.find((each) => each.id === id)!
        expect(decisive.labels).toEqual(expect.arrayContaining([...question.what.labels]))
        expect(obligations).toEqual(['redisclosure-notice'])
      }),
      { numRuns: 1000 },
    )
  })
})
