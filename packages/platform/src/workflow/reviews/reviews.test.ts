/** Which facts open which reviews, each once, and for whom. */

import type { NewFact } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../../engine/testing/index.ts'
import { aPatient, byTest, testSubjects } from '../../subjects/fixtures.ts'
import { takeAllReviews } from '../testing/take-all-facts.ts'
import type { Reachable, Ways } from '../ways.ts'
import { officeOf } from './open-review.ts'
import { makeReviews, type Office } from './reviews.ts'

let ground: TestEngine
let tenant: string
beforeAll(async () => {
  ground = await testEngine()
  tenant = await ground.tenant()
})
afterAll(() => ground.stop())

const person = (id: string, role: Reachable['roles'][number], endedAt: number | null = null): Reachable => ({
  ...{ id, displayName: id, email: `${id}@clinic.example`, roles: [role], endedAt },
})
const people = [person('bea', 'biomed'), person('olga', 'compliance'), person('adam', 'administrator')]
const ways: Ways = { staff: async () => people, email: false }
const office = (id: string): Office => ({
  id,
  tenant,
  requestId: 'r',
  roles: people.find((each) => each.id === id)!.roles,
})

const tell = async (...facts: NewFact[]) => {
  await ground.engine.db.asTenant(tenant, async (tx) => {
    for (const fact of facts) await tx.publish(fact)
  })
  await takeAllReviews(ground.engine, { subjects: testSubjects(ground.engine), ways })
}
const kinds = async (id: string) =>
  (await makeReviews(ground.engine, ways.staff).list(office(id))).items.map(({ kind }) => kind)

const device = '0190a5c0-0000-7000-8000-000000000001'

test('reviews > a suspicious device is biomed’s to look at, not compliance’s; administrators see all', async () => {
  await tell({ type: 'DeviceSuspicious', device, reason: 'foreign-topic' })
  expect([await kinds('bea'), await kinds('olga'), await kinds('adam')]).toEqual([
    ['device-security'],
    [],
    ['device-security'],
  ])
})

test('reviews > what is told twice of one source opens one review', async () => {
  const miss = { type: 'BreakGlassMissed', miss: device, user: 'nora' } as const
  await tell(miss, miss)
  expect(await kinds('olga')).toEqual(['break-glass-misses'])
})

test('reviews > another role’s review is not there: neither read, claimed nor closed', async () => {
  const [own] = (await makeReviews(ground.engine, ways.staff).list(office('bea'))).items
  const reviews = makeReviews(ground.engine, ways.staff)
  const close = { version: 1, outcome: 'harmless', note: 'x' } as const
  for (const act of [
    () => reviews.read(office('olga'), own!.id),
    () => reviews.claim(office('olga'), own!.id, 1),
    () => reviews.close(office('olga'), own!.id, close),
  ])
    await expect(act()).rejects.toMatchObject({ code: 'review-not-found' })
})

test('reviews > go to the office without whom they are about, then to administrators, and to themselves last of all', () => {
  const of = (staff: readonly Reachable[], user: string | null) =>
    officeOf(staff, { for_role: 'compliance', about_user: user })
  expect(of(people, 'nora')).toEqual(['olga'])
  expect(of(people, 'olga')).toEqual(['adam'])
  expect(of([person('olga', 'compliance')], 'olga')).toEqual(['olga'])
  expect(of([person('olga', 'compliance', 1), person('adam', 'administrator')], null)).toEqual(['adam'])
  expect(of([person('bea', 'biomed')], null)).toEqual([])
})

test('reviews > what is written about a patient is unreadable once they are erased; the outcome stands', async () => {
  const { engine } = ground
  const { id: subject } = await testSubjects(engine).create(byTest(tenant), aPatient({ mrn: 'M-review' }))
  const finding = { finding: device, user: 'nora', subject, reason: 'watched-record' } as const
  await tell({ type: 'UnusualAccessFound', ...finding })
  const reviews = makeReviews(engine, ways.staff)
  const [open] = (await reviews.list(office('olga'))).items.filter(({ about }) => about.subject === subject)
  const closed = await reviews.close(office('olga'), open!.id, {
    version: 1,
    outcome: 'justified',
    note: 'Her own aunt',
  })
  expect(closed.note).toBe('Her own aunt')
  await engine.db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<{ key_id: string }>('select key_id from tenant.subject where id = $1', [
      subject,
    ])
    await engine.keys.destroy(tx, rows[0]!.key_id)
  })
  await engine.keys.refresh()
  expect(await reviews.read(office('olga'), open!.id)).toMatchObject({ note: null, outcome: 'justified' })
})
