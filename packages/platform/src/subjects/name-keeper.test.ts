import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aPatient, byTest, testSubjects } from './fixtures.ts'

let ground: TestEngine
beforeAll(async () => {
  ground = await testEngine()
})
afterAll(() => ground?.stop())

test('names > another process finds a new, a changed and no erased person', async () => {
  const here = testSubjects(ground.engine)
  const other = ground.another()
  const there = testSubjects(other.engine)
  const by = byTest(await ground.tenant())
  const first = await here.create(by, aPatient({ family: 'Ersterer' }))
  const stop = await there.start()
  expect(await there.find(by.tenant, 'ersterer')).toMatchObject([{ id: first.id }])
  const second = await here.create(by, aPatient({ family: 'Zweiterer' }))
  await here.update(by, first.id, { ...aPatient({ family: 'Umbenannt' }), version: 1 })
  await expect.poll(() => there.find(by.tenant, 'zweiterer'), { timeout: 15_000 }).toMatchObject([{ id: second.id }])
  await expect.poll(() => there.find(by.tenant, 'umbenannt'), { timeout: 15_000 }).toMatchObject([{ id: first.id }])
  expect(await there.find(by.tenant, 'ersterer')).toEqual([])
  await stop()

  const { rows } = await ground.engine.db.pool.query<{ id: string }>(
    `select id from engine.data_key where purpose = 'subject' and owner = $1`,
    [second.id],
  )
  await ground.engine.db.asEngine((tx) => ground.engine.keys.destroy(tx, rows[0]!.id))
  const afterwards = testSubjects(ground.another().engine)
  expect(await afterwards.find(by.tenant, 'zweiterer')).toEqual([])
  expect(await afterwards.find(by.tenant, 'umbenannt')).toMatchObject([{ id: first.id }])
  expect([...(await afterwards.names(by.tenant, [first.id, second.id])).keys()]).toEqual([first.id])
})

test('names > a row that was open in a slow transaction while we looked is not missed', async () => {
  const subjects = testSubjects(ground.engine)
  const by = byTest(await ground.tenant())
  const slow = await subjects.create(by, aPatient({ family: 'Langsam' }))
  const other = testSubjects(ground.another().engine)
  expect(await other.find(by.tenant, 'langsam')).toHaveLength(1)
  // The slow transaction takes its number first, the quick one commits first, and only then somebody looks.
  const client = await ground.engine.db.pool.connect()
  await client.query('begin; select pg_current_xact_id()')
  await subjects.create(by, aPatient({ family: 'Schnell' }))
  const stop = await other.start()
  await expect.poll(() => other.find(by.tenant, 'schnell'), { timeout: 15_000 }).toHaveLength(1)
  await client.query(
    `update tenant.subject set version = version + 1, touched = pg_current_xact_id()::text::bigint where id = '${slow.id}'`,
  )
  await client.query('commit')
  client.release()
  await expect.poll(async () => (await other.find(by.tenant, 'langsam'))[0]?.version, { timeout: 15_000 }).toBe(2)
  await stop()
})

test('names > a person whose record is damaged is shown without a name, and keeps nobody else from being shown', async () => {
  const subjects = testSubjects(ground.engine)
  const by = byTest(await ground.tenant())
  const [broken, whole] = [
    await subjects.create(by, aPatient({ family: 'Kaputt' })),
    await subjects.create(by, aPatient()),
  ]
  await ground.engine.db.pool.query('update tenant.subject set body = $2 where id = $1', [broken.id, Buffer.alloc(64)])
  const afterwards = testSubjects(ground.another().engine)
  const names = await afterwards.names(by.tenant, [broken.id, whole.id])
  expect(names.get(broken.id)).toMatchObject({
    ...{ kind: 'patient', display: 'Record that cannot be opened', timeZone: 'Europe/Vienna', team: null },
  })
  expect(names.get(whole.id)?.display).toBe('Zwölfaxinger, Kunigunde')
  expect(await afterwards.find(by.tenant, 'kaputt')).toEqual([])
  expect((await afterwards.list(by, { limit: 10 })).items.map((each) => each.id)).toEqual([broken.id, whole.id])
})
