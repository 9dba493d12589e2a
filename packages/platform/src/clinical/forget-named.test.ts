/** Who is erased is named nowhere any more: neither in what is of nobody nor in another's record, in no version of it. */
import type { FhirTree } from '@careloop/fhir'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { byTest, testSubjects } from '../subjects/fixtures.ts'
import type { Subjects } from '../subjects/index.ts'
import type { Clinical } from './clinical.ts'
import { anObservation, patientFor } from './fixtures.ts'
import { forgetClinical } from './forget-clinical.ts'
import { forgetNamed } from './forget-named.ts'
import { makeClinical, makeRoom } from './make-clinical.ts'
import { openBody } from './store/body.ts'
import { takeInSubjects } from './views/take-in.ts'

let ground: TestEngine
let clinical: Clinical
let subjects: Subjects
let tenant: string
beforeAll(async () => {
  ground = await testEngine()
  subjects = testSubjects(ground.engine)
  clinical = makeClinical(
    makeRoom(ground.engine, { consents: subjects.consents, takeIn: takeInSubjects(ground.engine) }),
  )
})
afterAll(() => ground?.stop())
beforeEach(async () => {
  tenant = await ground.tenant()
})

const by = () => byTest(tenant)
const put = (tree: object) => clinical.update(by(), tree as FhirTree)
const mrn = { system: 'urn:hospital', value: 'MRN-4711' }
const name = 'Erasedcanary'
const gone = { reference: 'Patient/ehr.4711', display: name }

/** Every version that opens, as it is stored. */
async function everything(): Promise<string[]> {
  const { rows } = await ground.engine.db.pool.query(
    `select rid, version, key_id, body from tenant.clinical_resource where tenant_id = $1
     union all select rid, version, key_id, body from tenant.clinical_history where tenant_id = $1`,
    [tenant],
  )
  return Promise.all(
    rows.map(async ({ rid, version, key_id, body }) => {
      return openBody(await ground.engine.keys.key(key_id), { tenant, rid, version }, body).text
    }),
  )
}

const lastEntry = async (): Promise<string> =>
  (await ground.engine.db.pool.query('select max(id) as last from tenant.audit_entry where tenant_id = $1', [tenant]))
    .rows[0].last

async function erase(subject: string): Promise<void> {
  const erased = { tenant, subject, at: ground.engine.clock.now(), actor: 'cli' }
  await ground.engine.db.asEngine(async (tx) => {
    await forgetNamed(ground.engine)(tx, erased)
    await forgetClinical(tx, erased)
  })
}

async function written(): Promise<{ stays: string; subject: string }> {
  const stays = await patientFor(subjects, tenant)
  const patient = { resourceType: 'Patient', id: 'ehr.4711', identifier: [mrn], name: [{ family: name }] }
  const { stored } = await put(patient)
  const other = { entity: { reference: `Patient/${stays}`, display: 'Stays' } }
  const group = { resourceType: 'Group', id: 'cohort', type: 'person', actual: true }
  await put({ ...group, name: 'first', member: [{ entity: gone }, other] })
  await put({ ...group, name: 'second', member: [other, { entity: gone }, { entity: { identifier: mrn } }] })
  // Named in an older version only.
  await put({ ...group, id: 'former', member: [{ entity: gone }] })
  await put({ ...group, id: 'former', member: [other] })
  const entry = [
    { resource: { ...patient, id: 'within' } },
    { resource: { ...anObservation('ehr.4711'), id: 'in-it' } },
  ]
  await put({ resourceType: 'Bundle', id: 'kept', type: 'collection', entry })
  await put({
    resourceType: 'Bundle',
    id: 'unrelated',
    type: 'collection',
    entry: [{ resource: anObservation(stays) }],
  })
  await put({ ...anObservation(stays, { subject: { identifier: mrn, display: name } }), id: 'by-number' })
  await put({ ...anObservation(stays, { performer: [gone] }), id: 'of-another' })
  await put({ ...anObservation(stays), id: 'of-another-untouched' })
  return { stays, subject: stored.subject! }
}

test('erasure > takes who is erased out of Groups, Bundles, another’s record and what is of nobody, in every version', async () => {
  const { stays, subject } = await written()
  expect((await everything()).filter((text) => text.includes(name)).length).toBeGreaterThan(6)
  const last = await lastEntry()
  await erase(subject)
  const left = await everything()
  for (const word of [name, 'ehr.4711', mrn.value]) expect(left.filter((text) => text.includes(word))).toEqual([])
  const read = async (type: string, id: string) => JSON.parse((await clinical.read(by(), type, id)).text)
  expect(await read('Group', 'cohort')).toMatchObject({
    ...{ name: 'second', meta: { versionId: '3' }, member: [{ entity: { reference: `Patient/${stays}` } }] },
  })
  expect((await read('Group', 'former')).member).toHaveLength(1)
  for (const [type, id] of [
    ['Bundle', 'kept'],
    ['Observation', 'by-number'],
  ] as const)
    await expect(clinical.read(by(), type, id)).rejects.toMatchObject({ code: 'resource-gone' })
  expect((await clinical.read(by(), 'Bundle', 'unrelated')).version).toBe(1)
  // What was measured of somebody else stays, to the letter of its numbers.
  const another = await clinical.read(by(), 'Observation', 'of-another')
  expect([another.version, another.subject, another.text.includes('"value":98.50')]).toEqual([2, stays, true])
  expect((await clinical.read(by(), 'Observation', 'of-another-untouched')).version).toBe(1)
  const { rows } = await ground.engine.db.pool.query<{ what: string }>(
    `select distinct action || ' ' || resource as what from tenant.audit_entry
      where tenant_id = $1 and id > $2 and action not in ('read') order by what`,
    [tenant, last],
  )
  expect(rows.map(({ what }) => what)).toEqual([
    ...['delete bundle', 'delete group', 'delete observation', 'update group', 'update observation'],
  ])
  // Again, as after a restore: nothing is left to do.
  const before = await lastEntry()
  await erase(subject)
  expect(await lastEntry()).toBe(before)
})

test('erasure > finds them where a restore brought all back but their key', async () => {
  const { subject } = await written()
  const { rows } = await ground.engine.db.pool.query<{ key_id: string }>(
    'select key_id from tenant.subject where id = $1',
    [subject],
  )
  await ground.engine.db.asEngine((tx) => ground.engine.keys.destroy(tx, rows[0]!.key_id))
  await erase(subject)
  expect((await everything()).filter((text) => text.includes('ehr.4711'))).toEqual([])
})
