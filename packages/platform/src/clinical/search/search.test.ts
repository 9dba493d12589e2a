import type { FhirTree } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../../engine/testing/index.ts'
import { byTest, testSubjects } from '../../subjects/fixtures.ts'
import type { Subjects } from '../../subjects/index.ts'
import type { Clinical } from '../clinical.ts'
import { anObservation, patientFor } from '../fixtures.ts'
import { makeClinical, makeRoom } from '../make-clinical.ts'
import type { Searching } from '../rest/searching.ts'
import { makeSearching } from './searching.ts'

let ground: TestEngine
let clock: ManualClock
let clinical: Clinical
let searching: Searching
let subjects: Subjects
let tenant: string
const base = 'https://care.example/fhir/R4'

beforeAll(async () => {
  clock = makeManualClock(Date.parse('2026-02-01T12:00:00Z'))
  ground = await testEngine({ clock })
  tenant = await ground.tenant()
  subjects = testSubjects(ground.engine)
  const room = makeRoom(ground.engine, { consents: subjects.consents, takeIn: async () => null, base })
  clinical = makeClinical(room)
  searching = makeSearching(room)
})
afterAll(() => ground?.stop())

const by = () => byTest(tenant)
const ask = (type: string, query: string, isStrict = false) =>
  searching.search({ by: by(), type, pairs: [...new URLSearchParams(query)], base, isStrict })
interface Entry {
  readonly resource: FhirTree & { readonly id: string }
  readonly search: { readonly mode: string }
}
const entries = (bundle: FhirTree): readonly Entry[] => (bundle.entry ?? []) as never
const ids = (bundle: FhirTree): string[] =>
  entries(bundle).flatMap(({ resource, search }) => (search.mode === 'match' ? [resource.id] : []))
const linkOf = (bundle: FhirTree, relation: string): string | undefined =>
  (bundle.link as never as { relation: string; url: string }[]).find((link) => link.relation === relation)?.url

describe('search', () => {
  test('finds', async () => {
    const patient = await patientFor(subjects, tenant)
    await clinical.update(by(), { ...anObservation(patient), id: 'a' } as FhirTree)
    await clinical.update(by(), { ...anObservation(patient, { effectiveDateTime: '2025-01-01' }), id: 'b' } as FhirTree)
    const { effectiveDateTime: _, ...undated } = anObservation(patient, { effectivePeriod: { start: '2024-01-01' } })
    await clinical.update(by(), { ...undated, id: 'c' } as FhirTree)
    expect(ids(await ask('Observation', `patient=${patient}`))).toEqual(['a', 'b', 'c'])
    expect(ids(await ask('Observation', `patient=${patient}&code=59408-5&_sort=date`))).toEqual(['c', 'b', 'a'])
    expect(ids(await ask('Observation', `patient=${patient}&code=59408-5&date=ge2025-06-01`))).toEqual(['a', 'c'])
    expect(ids(await ask('Observation', 'date=ge2025-06-01'))).toEqual(['a', 'c'])
    expect(ids(await ask('Observation', 'code-value-quantity=59408-5$gt98|http://unitsofmeasure.org|%25'))).toEqual([
      'a',
      'b',
      'c',
    ])
    expect(ids(await ask('Observation', 'code=59408-5&value-quantity=lt0.98|http://unitsofmeasure.org|1'))).toEqual([])
    expect(ids(await ask('Observation', '_sort=-_lastUpdated&_count=2'))).toHaveLength(2)
    expect(ids(await ask('Observation', '_id=a,c'))).toEqual(['a', 'c'])
    expect(await ask('Observation', '_count=0')).toMatchObject({ total: 3 })
    const page = await ask('Observation', '_count=2')
    expect(linkOf(page, 'next')).toContain('_page=')
    expect(ids(await ask('Observation', linkOf(page, 'next')!.split('?')[1]!))).toEqual(['c'])
    expect(ids(await ask('Observation', 'status:not=final'))).toEqual([])
    expect(ids(await ask('Observation', '_sort=value-quantity&status=final'))).toHaveLength(3)
  })
})
