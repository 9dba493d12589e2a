import { type FhirTree, type Resource, SearchError } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../../engine/testing/index.ts'
import type { StaffPrincipal } from '../../identity/index.ts'
import { aPatient, byTest, testSubjects } from '../../subjects/fixtures.ts'
import type { By, Subjects } from '../../subjects/index.ts'
import type { Clinical } from '../clinical.ts'
import { makeClinical, makeFhirRoom } from '../make-clinical.ts'
import { everything } from '../operations/everything.ts'
import { lastN } from '../operations/last-n.ts'
import type { FhirRoom } from '../rest/fhir-room.ts'
import { takeInSubjects } from '../views/take-in.ts'

const base = 'https://care.example/fhir/R4'
const ucum = 'http://unitsofmeasure.org'
let ground: TestEngine
let clock: ManualClock
let room: FhirRoom
let clinical: Clinical
let subjects: Subjects
let tenant: string
let nora: By
/** FHIR ids: hers is of Nora's care team, his is of another. */
let hers: string
let his: string

beforeAll(async () => {
  clock = makeManualClock(Date.parse('2026-02-01T12:00:00Z'))
  ground = await testEngine({ clock })
  tenant = await ground.tenant()
  subjects = testSubjects(ground.engine)
  room = makeFhirRoom(ground.engine, { consents: subjects.consents, takeIn: takeInSubjects(ground.engine), base })
  clinical = makeClinical(room)
  const [ours, theirs] = [
    await subjects.createCareTeam(byTest(tenant), { name: 'Ours', members: ['nora'] }),
    await subjects.createCareTeam(byTest(tenant), { name: 'Theirs', members: ['ben'] }),
  ]
  const made = async (team: string) => (await subjects.create(byTest(tenant), { ...aPatient(), team })).id
  hers = await made(ours.id)
  his = await made(theirs.id)
  const who: StaffPrincipal = {
    ...{ kind: 'staff', tenant, id: 'nora', displayName: 'Nora', roles: ['nurse'], session: 's' },
    reach: { teams: [ours.id], teamless: false, subjects: new Map() },
  }
  nora = { tenant, actor: 'staff:nora', who }
  await fill()
})
afterAll(() => ground?.stop())

const quantity = (value: number, code: string) => ({ valueQuantity: { value, system: ucum, code } })
const coded = (...codes: string[]) => ({
  code: { coding: codes.map((code) => ({ system: 'http://loinc.org', code })) },
})
const about = (patient: string) => ({ subject: { reference: `Patient/${patient}` } })
const on = (effectiveDateTime: string) => ({ effectiveDateTime })

async function keep(subject: string | null, ...resources: Record<string, unknown>[]): Promise<void> {
  await ground.engine.db.asTenant(tenant, async (tx) => {
    for (const told of resources) {
      clock.advance(1_000)
      const resource = { status: 'final', ...told } as unknown as Resource
      await clinical.keepDerived(tx, [{ resource, subject, at: clock.now() }])
    }
  })
}

const observation = (id: string, ...parts: object[]) => Object.assign({ resourceType: 'Observation', id }, ...parts)

async function fill(): Promise<void> {
  const pulse = (id: string, at: string, value: number, ...more: object[]) =>
    observation(id, coded('8867-4'), about(hers), on(at), quantity(value, '/min'), ...more)
  for (const id of [hers, his]) await keep(id, { resourceType: 'Patient', id, name: [{ family: 'Someone' }] })
  const performer = { performer: [{ reference: 'Practitioner/doc' }] }
  await keep(null, { resourceType: 'Practitioner', id: 'doc', name: [{ family: 'Zuse' }] })
  await keep(null, { resourceType: 'Practitioner', id: 'his-doc', name: [{ family: 'Hidden' }] })
  await keep(
    hers,
    pulse('p1', '2026-01-01T08:00:00Z', 61),
    pulse('p2', '2026-01-02T08:00:00Z', 72, performer),
    pulse('p3', '2026-01-03', 160),
    observation(
      'long',
      coded('8310-5'),
      about(hers),
      { effectivePeriod: { start: '2024-01-01' } },
      quantity(38.6, 'Cel'),
    ),
    observation('sugar', coded('15074-8'), about(hers), on('2025-12-01'), quantity(11.1, 'mmol/L')),
    observation('member', coded('85354-9'), about(hers), on('2025-11-01'), {
      hasMember: [{ reference: 'Observation/p1' }],
    }),
    {
      resourceType: 'Task',
      id: 'task',
      intent: 'order',
      for: { reference: `Patient/${hers}` },
      focus: { reference: 'Observation/p3' },
    },
  )
  await keep(
    his,
    observation('his', coded('8867-4'), about(his), on('2026-01-02'), quantity(180, '/min'), {
      performer: [{ reference: 'Practitioner/his-doc' }, { reference: 'Practitioner/doc' }],
      hasMember: [{ reference: 'Observation/p2' }],
    }),
  )
}

const ask = (type: string, query: string, by: By = byTest(tenant), isStrict = false) =>
  room.searching.search({ by, type, pairs: [...new URLSearchParams(query)], base, isStrict })

interface Entry {
  readonly resource: FhirTree & { readonly id: string }
  readonly search: { readonly mode: string }
}
const entries = (bundle: FhirTree): readonly Entry[] => (bundle.entry ?? []) as never
const idsOf = (bundle: FhirTree, mode = 'match'): string[] =>
  entries(bundle).flatMap(({ resource, search }) => (search.mode === mode ? [resource.id] : []))
const linkOf = (bundle: FhirTree, relation: string): string | undefined =>
  (bundle.link as never as { relation: string; url: string }[]).find((link) => link.relation === relation)?.url
const nextOf = (bundle: FhirTree): string | undefined => linkOf(bundle, 'next')?.split('?')[1]
const ids = async (type: string, query: string, by?: By) => idsOf(await ask(type, query, by))
const refused = async (answer: Promise<unknown>): Promise<SearchError> => {
  const error = await answer.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(SearchError)
  return error as SearchError
}

describe('search', () => {
  test('newest first unless asked otherwise; what lasts long is found by any day it holds', async () => {
    const of = `patient=${hers}`
    expect(await ids('Observation', `${of}&code=8867-4`)).toEqual(['p3', 'p2', 'p1'])
    expect(await ids('Observation', `${of}&code=8867-4&_sort=date`)).toEqual(['p1', 'p2', 'p3'])
    expect(await ids('Observation', `${of}&_sort=-_lastUpdated&_count=2`)).toEqual(['member', 'sugar'])
    expect(await ids('Observation', `${of}&date=ge2026-01-02`)).toEqual(['p3', 'p2', 'long'])
    expect(await ids('Observation', 'date=ge2026-01-02&date=lt2026-01-03')).toEqual(['p2', 'his', 'long'])
    expect(await ids('Observation', `${of}&_sort=value-quantity&code=8867-4`)).toEqual(['p1', 'p2', 'p3'])
    expect(await ids('Observation', `${of}&_sort=-code,date&date=ge2026-01-01&code=8867-4,8310-5`)).toHaveLength(4)
  })

  test('a quantity is found in another unit, glucose by mass and by moles', async () => {
    const over = (value: string, unit: string) => `gt${value}|${ucum}|${encodeURIComponent(unit)}`
    expect(await ids('Observation', `code=8310-5&value-quantity=${over('101', '[degF]')}`)).toEqual(['long'])
    expect(await ids('Observation', `code=8310-5&value-quantity=${over('102', '[degF]')}`)).toEqual([])
    expect(await ids('Observation', `code-value-quantity=15074-8$${over('199', 'mg/dL')}`)).toEqual(['sugar'])
    expect(await ids('Observation', `code-value-quantity=15074-8$${over('201', 'mg/dL')}`)).toEqual([])
    expect(await ids('Observation', 'code=8867-4&value-quantity=gt100')).toEqual(['p3', 'his'])
  })

  test('what is not known is named and left out, or refused when that is asked; no answer repeats a value', async () => {
    const bundle = await ask('Observation', 'code=8310-5&favourite=canary')
    expect(idsOf(bundle)).toEqual(['long'])
    expect(linkOf(bundle, 'self')).toBe(`${base}/Observation?code=8310-5`)
    const [outcome] = entries(bundle).filter(({ search }) => search.mode === 'outcome')
    expect(JSON.stringify(outcome)).toContain('favourite')
    expect(JSON.stringify(bundle)).not.toContain('canary')
    for (const wrong of [
      'favourite=canary',
      'date=canary',
      'code:above=canary',
      'value-quantity=canary',
      '_sort=canary',
    ])
      expect(JSON.stringify(await refused(ask('Observation', wrong, byTest(tenant), true)))).not.toContain('canary')
  })

  test('each is on one page, while others write; a link tells nothing and opens for its own search only', async () => {
    const seen: string[] = []
    let page: string | undefined = `patient=${hers}&_count=2`
    for (let round = 0; page !== undefined; round++) {
      expect(page).not.toMatch(round === 0 ? /never/ : new RegExp(hers))
      const bundle = await ask('Observation', page)
      seen.push(...idsOf(bundle))
      page = nextOf(bundle)
      await keep(
        his,
        observation(`meanwhile-${round}`, coded('8867-4'), about(his), on('2026-01-02'), quantity(70, '/min')),
      )
      if (round === 0) await keep(hers, observation('newer', coded('x'), about(hers), on('2026-01-30')))
    }
    expect(seen).toEqual(['p3', 'p2', 'p1', 'sugar', 'member', 'long'])
    await ground.engine.db.asTenant(tenant, (tx) => clinical.dropDerived(tx, 'Observation', 'newer', clock.now()))
    const token = nextOf(await ask('Observation', 'code=8867-4&_count=1'))!
    expect((await refused(ask('Patient', token))).issue.rule).toBe('search-page-unknown')
    expect((await refused(ask('Observation', token.slice(0, -3)))).issue.rule).toBe('search-page-unknown')
    const other = byTest(await ground.tenant())
    expect((await refused(ask('Observation', token, other))).issue.rule).toBe('search-page-unknown')
  })

  test('totals are counted as they would be seen, and _count=0 is the number alone', async () => {
    expect(await ask('Observation', 'code=15074-8')).toMatchObject({ total: 1 })
    expect(await ask('Observation', 'code=8867-4&_count=1&_total=accurate&date=2026-01-01')).toMatchObject({ total: 1 })
    const counted = await ask('Observation', `patient=${hers}&_count=0`)
    expect([counted.total, counted.entry]).toEqual([6, undefined])
    expect(await ask('Observation', `patient=${hers}&_summary=count`)).toMatchObject({ total: 6 })
  })

  test('includes what is pointed to and what points here, step by step where asked', async () => {
    const beside = async (type: string, query: string) => idsOf(await ask(type, query), 'include').sort()
    expect(await beside('Observation', '_id=p2&_include=Observation:performer')).toEqual(['doc'])
    expect(await beside('Observation', '_id=p2&_include=Observation:performer:Organization')).toEqual([])
    expect(await beside('Observation', '_id=p3&_revinclude=Task:focus')).toEqual(['task'])
    expect(await beside('Observation', '_id=member&_include=Observation:has-member')).toEqual(['p1'])
    expect(
      await beside('Observation', '_id=p1&_revinclude=Observation:has-member&_include:iterate=Observation:subject'),
    ).toEqual([...['member', hers].sort()])
    expect(await beside('Patient', `_id=${hers}&_revinclude=*`)).toEqual(expect.arrayContaining(['p1', 'task', 'long']))
  })

  test('chains, the other way round, and compartments', async () => {
    expect(await ids('Observation', 'performer:Practitioner.family=zuse')).toEqual(['p2', 'his'])
    expect(await ids('Task', 'focus:Observation.value-quantity=gt150&focus:Observation.code=8867-4')).toEqual(['task'])
    expect(await ids('Patient', '_has:Observation:patient:code=15074-8')).toEqual([hers])
    expect(await ids('Practitioner', '_has:Observation:performer:_has:Observation:has-member:code=8867-4')).toEqual([
      'doc',
    ])
    const inside = await room.searching.search({
      ...{ by: byTest(tenant), type: 'Task', pairs: [], base, isStrict: true },
      compartment: { type: 'Patient', id: hers },
    })
    expect(idsOf(inside)).toEqual(['task'])
  })

  test('several types are searched one after the other', async () => {
    const found: string[] = []
    for (let page: string | undefined = '_type=Task,Observation&_count=4'; page !== undefined; ) {
      const bundle = await room.searching.system({
        by: nora,
        pairs: [...new URLSearchParams(page)],
        base,
        isStrict: false,
      })
      found.push(...idsOf(bundle))
      page = nextOf(bundle)
    }
    expect(found.toSorted()).toEqual(['long', 'member', 'p1', 'p2', 'p3', 'sugar', 'task'])
  })
})

describe('search > somebody out of sight', () => {
  test('is in no result, total, order, include or chain', async () => {
    expect(await ids('Observation', 'code=8867-4', nora)).toEqual(['p3', 'p2', 'p1'])
    expect(await ask('Observation', 'code=8867-4&_total=accurate&_count=1', nora)).toMatchObject({ total: 3 })
    expect(await ask('Observation', 'code=8867-4&_total=estimate&_count=1', nora)).toMatchObject({ total: 3 })
    expect(await ids('Observation', '_sort=-value-quantity&code=8867-4', nora)).toEqual(['p3', 'p2', 'p1'])
    expect(await ids('Observation', '_sort=-_lastUpdated&_count=50', nora)).not.toContain('his')
    const pointed = await ask('Observation', '_id=p2&_revinclude=Observation:has-member&_include=*', nora)
    expect(idsOf(pointed, 'include')).not.toContain('his')
    expect(await ids('Observation', 'has-member.code=8867-4', nora)).toEqual(['member'])
    expect(await ids('Practitioner', '_has:Observation:performer:code=8867-4', nora)).toEqual(['doc'])
    expect(await ids('Practitioner', '_has:Observation:performer:code=8867-4')).toEqual(
      ['his-doc', 'doc'].sort().reverse(),
    )
    expect(await ids('Observation', `_id=his,p1`, nora)).toEqual(['p1'])
  })

  test('answers as somebody who is not there', async () => {
    const told = async (query: string) => JSON.stringify(await ask('Observation', query, nora))
    expect(await told(`patient=${his}`)).toBe(
      (await told('patient=00000000-0000-7000-8000-000000000000')).replaceAll(
        '00000000-0000-7000-8000-000000000000',
        his,
      ),
    )
    const pairs = [['patient', his]] as const
    expect(idsOf(await lastN(room, { by: nora, pairs, base, isStrict: true }))).toEqual([])
    await expect(everything(room, { by: nora, pairs: [], base }, his)).rejects.toMatchObject({
      code: 'resource-not-found',
    })
    await expect(everything(room, { by: nora, pairs: [], base }, 'nobody')).rejects.toMatchObject({
      code: 'resource-not-found',
    })
  })

  test('a search is in the trail of each patient whom it showed', async () => {
    const entries = async () =>
      (
        await ground.engine.db.pool.query<{ action: string; resource: string; subject_id: string | null }>(
          `select action, resource, subject_id from tenant.audit_entry
            where tenant_id = $1 and principal_id = 'nora' order by id`,
          [tenant],
        )
      ).rows
    const before = (await entries()).length
    await ask('Observation', 'code=8867-4', nora)
    expect((await entries()).slice(before)).toEqual([{ action: 'search', resource: 'observation', subject_id: hers }])
  })
})

describe('search > operations', () => {
  test('$lastn gives of each code the newest, however many there are', async () => {
    const newest = async (query: string) =>
      idsOf(await lastN(room, { by: nora, pairs: [...new URLSearchParams(query)], base, isStrict: true }))
    expect((await newest(`patient=${hers}`)).toSorted()).toEqual(['long', 'member', 'p3', 'sugar'])
    expect((await newest(`patient=${hers}&max=2&code=8867-4`)).toSorted()).toEqual(['p2', 'p3'])
    expect((await refused(lastN(room, { by: nora, pairs: [], base, isStrict: true }))).issue.rule).toBe('lastn-patient')
  })

  test("$everything pages through all that is the patient's, and whom it points to", async () => {
    const found: string[] = []
    for (let page: string | undefined = '_count=3'; page !== undefined; ) {
      const bundle = await everything(room, { by: nora, pairs: [...new URLSearchParams(page)], base }, hers)
      found.push(...idsOf(bundle), ...idsOf(bundle, 'include'))
      page = nextOf(bundle)
    }
    expect(found.toSorted()).toEqual([hers, 'doc', 'long', 'member', 'p1', 'p2', 'p3', 'sugar', 'task'].toSorted())
    const some = await everything(room, { by: nora, pairs: [['_type', 'Task']], base }, hers)
    expect(idsOf(some)).toEqual(['task'])
  })
})

// Last: what it adds would be in the way of the others.
describe('search > much', () => {
  test('a thousand that point to one are asked one by one; each is on one page', async () => {
    const many = Array.from({ length: 1_100 }, (_, at) => ({
      ...{ subject: hers, at: clock.now() },
      resource: observation(
        `many-${at}`,
        { status: 'final' },
        coded('many'),
        about(hers),
        on('2020-05-05'),
      ) as Resource,
    }))
    await ground.engine.db.asTenant(tenant, (tx) => clinical.keepDerived(tx, many))
    expect(await ids('Patient', '_has:Observation:patient:code=many', nora)).toEqual([hers])
    expect(await ids('Patient', '_has:Observation:patient:code=many&_id=nobody', nora)).toEqual([])
    const found: string[] = []
    for (let page: string | undefined = 'code=many&_count=400'; page !== undefined; ) {
      const bundle = await ask('Observation', page, nora)
      found.push(...idsOf(bundle))
      page = nextOf(bundle)
    }
    expect([found.length, new Set(found).size]).toEqual([1_100, 1_100])
    expect(idsOf(await lastN(room, { by: nora, pairs: [['patient', hers]], base, isStrict: true }))).toHaveLength(5)
  })
})
