/** How the database looks: as careloop_app, under row-level security, by an index for each way in and never over a whole table. */
import { parseSearch } from '@careloop/fhir'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../../engine/testing/index.ts'
import { aPatient, byTest, testSubjects } from '../../subjects/fixtures.ts'
import type { Subjects } from '../../subjects/index.ts'
import { makeRoom } from '../make-clinical.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { windowQuery } from './candidates.ts'
import { orderOf, planOf } from './plan.ts'

let ground: TestEngine
let room: ClinicalRoom
let subjects: Subjects
let tenant: string
beforeAll(async () => {
  ground = await testEngine()
  tenant = await ground.tenant()
  subjects = testSubjects(ground.engine)
  room = makeRoom(ground.engine, { consents: subjects.consents, takeIn: async () => null })
  for (const each of [tenant, await ground.tenant()]) await fill(each)
})
afterAll(() => ground?.stop())

/** Rows enough, in two organisations, that the planner has a reason to choose. */
async function fill(of: string): Promise<void> {
  await ground.engine.db.asEngine(async ({ client }) => {
    await client.query(`set local careloop.tenant = '${of}'`)
    await client.query(`
      insert into tenant.clinical_resource (rid, type, version, at, updated_at, key_id, body, keys, is_derived)
      select gen_random_uuid(), (array['Observation', 'Task', 'Flag'])[1 + n % 3], 1, n, n, gen_random_uuid(), '\\x00', array[n % 50, n % 7 + 100], false
        from generate_series(1, 6000) n;
      insert into tenant.clinical_key (key, at, seq) select unnest(keys), at, seq from tenant.clinical_resource where tenant_id = '${of}';
      analyze tenant.clinical_resource; analyze tenant.clinical_key;`)
  })
}

async function planFor(query: string, nurse = false): Promise<string> {
  return ground.engine.db.asTenant(tenant, async (tx) => {
    const search = parseSearch('Observation', new URLSearchParams(query), { now: 0, isStrict: true })
    const plan = await planOf(room.ground, tx, search)
    const reach = { teams: [ground.engine.ids.uuid()], teamless: true, subjects: new Map() }
    const sight = nurse ? { kinds: ['asset' as const], reach } : undefined
    const walk = { plan, order: orderOf(search, plan)!, sight }
    const { sql, parameters } = windowQuery(tenant, walk, { time: '3000', seq: '3000' }, 21).compile(tx.tables())
    const { rows: who } = await tx.client.query('select current_user as role')
    expect(who).toEqual([{ role: 'careloop_app' }])
    const { rows } = await tx.client.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${sql}`, [...parameters])
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  })
}

/** Conditions of every scan of the index. */
const conditionsOf = (plan: string, index: string): string[] =>
  [...plan.matchAll(new RegExp(`using ${index} on .*\\n\\s*Index Cond: (.*)`, 'g'))].map(([, condition]) => condition!)

test('search > a key is walked from where the page before ended, in its order, and each row is fetched by its number', async () => {
  for (const isNurse of [false, true]) {
    const plan = await planFor('code=8867-4', isNurse)
    const [key] = conditionsOf(plan, 'clinical_key_pkey')
    expect(key, plan).toMatch(/key = .*ROW\(.*at, .*seq\) < ROW\(/)
    expect(conditionsOf(plan, 'clinical_resource_seq')[0], plan).toMatch(/seq = /)
    expect(plan).not.toMatch(/Seq Scan on clinical_/)
  }
})

test('search > a date bounds the walk of a key; what lasts long is another key', async () => {
  const plan = await planFor('code=8867-4&date=ge1970-01-01T00:00:01Z&date=lt1970-01-01T00:00:02Z')
  const conditions = conditionsOf(plan, 'clinical_key_pkey')
  expect(conditions, plan).toHaveLength(2)
  expect(conditions[0], plan).toMatch(/at < .*at > /)
  expect(conditions[1], plan).not.toMatch(/at > /)
})

test('search > a patient is walked by the compartment, a type by its date or by its last change', async () => {
  const { id: mine } = await subjects.create(byTest(tenant), aPatient())
  await ground.engine.db.asEngine(async ({ client }) => {
    await client.query(`set local careloop.tenant = '${tenant}'`)
    const rid = (await room.ground.blinds(tenant)).rid('Patient', 'p')
    await client.query(
      `insert into tenant.clinical_resource (rid, type, version, subject_id, at, updated_at, key_id, body, keys, is_derived)
       values ($1, 'Patient', 1, $2, 0, 0, gen_random_uuid(), '\\x00', '{}', false)`,
      [rid, mine],
    )
  })
  const ofPatient = await planFor('patient=Patient/p')
  expect(conditionsOf(ofPatient, 'clinical_resource_subject')[0], ofPatient).toMatch(/subject_id = .*type = .*ROW\(/)
  const ofType = await planFor('date=lt1970-01-01T00:00:02Z')
  expect(conditionsOf(ofType, 'clinical_resource_at')[0], ofType).toMatch(/type = .*at < /)
  const byChange = await planFor('_sort=-_lastUpdated')
  expect(conditionsOf(byChange, 'clinical_resource_type')[0], byChange).toMatch(
    /type = .*ROW\(.*updated_at, .*seq\) < /,
  )
  for (const plan of [ofPatient, ofType, byChange]) expect(plan).not.toMatch(/Seq Scan on clinical_/)
})
