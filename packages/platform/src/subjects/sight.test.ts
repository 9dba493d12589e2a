import type { AnyRole, SubjectKind } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import type { StaffPrincipal } from '../identity/index.ts'
import type { By } from './by.ts'
import { aFridge, aPatient, byTest, testSubjects } from './fixtures.ts'
import { withReach } from './reach.ts'
import { isSeen, type Sight, seenOf, sees, sightOf } from './sight.ts'
import { endSight, type GrantReason, grantSight, outsideTeam } from './sight-grants.ts'
import type { Subjects } from './subjects.ts'

const clock = makeManualClock(1_790_000_000_000)
let ground: TestEngine
let subjects: Subjects
let by: By
let teams: { ours: string; theirs: string }
let ids: { ours: string; theirs: string; teamless: string; fridge: string }
beforeAll(async () => {
  ground = await testEngine({ clock })
  subjects = testSubjects(ground.engine, ['nora', 'ben'])
  by = byTest(await ground.tenant())
  const [ours, theirs] = [
    await subjects.createCareTeam(by, { name: 'Ours', members: ['nora'] }),
    await subjects.createCareTeam(by, { name: 'Theirs', members: ['ben'] }),
  ]
  teams = { ours: ours.id, theirs: theirs.id }
  const made = async (team?: string) =>
    (await subjects.create(by, { ...aPatient(), ...(team === undefined ? {} : { team }) })).id
  ids = {
    ...{ ours: await made(teams.ours), theirs: await made(teams.theirs), teamless: await made() },
    fridge: (await subjects.create(by, aFridge())).id,
  }
})
afterAll(() => ground?.stop())

const who = (id: string, ...roles: AnyRole[]): StaffPrincipal => ({
  ...{ kind: 'staff', tenant: by.tenant, id, displayName: id, session: 's', roles },
})
const sightNow = async (principal: StaffPrincipal): Promise<Sight> =>
  sightOf(await withReach(ground.engine, principal), 'read', 'subject')
/** Names of what they see, by SQL; memory must say the same. */
async function seen(principal: StaffPrincipal, sight?: Sight): Promise<string[]> {
  const now = sight ?? (await sightNow(principal))
  const all = Object.values(ids)
  const [bySql, places] = await ground.engine.db.asTenant(by.tenant, async (tx) => [
    await seenOf(tx, all, now),
    await subjects.placesOf(by.tenant, all),
  ])
  expect(all.filter((id) => sees(now, places.get(id)!))).toEqual(all.filter((id) => bySql.has(id)))
  const listed = (await subjects.list({ ...by, sight: now }, { limit: 10 })).items.map((item) => item.id)
  expect(new Set(listed)).toEqual(bySql)
  return Object.entries(ids).flatMap(([name, id]) => (bySql.has(id) ? [name] : []))
}
const grant = (user: string, why: GrantReason, source: string, over: { until?: number } = {}) =>
  ground.engine.db.asTenant(by.tenant, (tx) =>
    grantSight(tx, {
      ...{ id: ground.engine.ids.uuid(), subject: ids.theirs, user, why, source, actor: by.actor },
      ...{ from: ground.engine.clock.now(), ...over },
    }),
  )
const end = (why: GrantReason, source: string) =>
  ground.engine.db.asTenant(by.tenant, (tx) =>
    endSight(tx, { why, source, at: ground.engine.clock.now(), actor: by.actor }),
  )

describe('sight > of patients', () => {
  test('a clinician sees the patients of their teams and those in no team, and all things', async () => {
    expect(await seen(who('nora', 'nurse'))).toEqual(['ours', 'teamless', 'fridge'])
    expect(await seen(who('ben', 'physician'))).toEqual(['theirs', 'teamless', 'fridge'])
    expect(await seen(who('somebody', 'nurse'))).toEqual(['teamless', 'fridge'])
  })

  test('whoever configures, oversees or mends sees none, whatever team they were put into', async () => {
    for (const role of ['administrator', 'facilities', 'pharmacist', 'biomed', 'integrator'] as const)
      expect([role, await seen(who('nora', role))]).toEqual([role, ['fridge']])
    expect(await seen(who('nora', 'compliance'))).toEqual([])
    expect(await seen(who('nora', 'administrator', 'nurse'))).toEqual(['ours', 'teamless', 'fridge'])
  })

  test('an owner or backup of an enrolment sees the patient until it has ended', async () => {
    const enrolment = await subjects.enrol(by, ids.theirs, { program: 'test', owner: 'ben', backup: 'nora' })
    expect(await seen(who('nora', 'nurse'))).toContain('theirs')
    // Being named as an owner gives nothing to who may not see patients at all.
    expect(await seen(who('nora', 'biomed'))).toEqual(['fridge'])
    await subjects.endEnrolment(by, enrolment.id, ground.engine.clock.now() + 1)
    await clock.advance(10)
    expect(await seen(who('nora', 'nurse'))).not.toContain('theirs')
  })

  test('a grant is for one person and one reason, and over when it is ended or its time has come', async () => {
    for (const [why, role] of [
      ['task', 'nurse'],
      ['break-glass', 'physician'],
      ['self', 'patient'],
      ['consent', 'caregiver'],
    ] as const) {
      await grant('nora', why, 'source')
      expect([why, await seen(who('nora', role))]).toEqual([why, expect.arrayContaining(['theirs'])])
      expect(await seen(who('somebody', role))).not.toContain('theirs')
      await end(why, 'source')
      expect(await seen(who('nora', role))).not.toContain('theirs')
    }
    await grant('nora', 'self', 'account')
    expect(await seen(who('nora', 'nurse'))).not.toContain('theirs')
    expect(await seen(who('nora', 'caregiver'))).toEqual([])
    expect(await seen(who('nora', 'patient'))).toEqual(['theirs'])
    await end('self', 'account')
    await grant('nora', 'break-glass', 'short', { until: ground.engine.clock.now() + 1 })
    await clock.advance(10)
    expect(await seen(who('nora', 'nurse'))).not.toContain('theirs')
  })

  test('a grant that was ended can be given again, and is told of both times', async () => {
    const [first, again] = [await grant('nora', 'task', 't1'), await grant('nora', 'task', 't1')]
    expect(again).toBe(first)
    await end('task', 't1')
    expect(await end('task', 't1')).toBe(0)
    expect(await grant('nora', 'task', 't1')).not.toBe(first)
    await end('task', 't1')
    const { rows } = await ground.engine.db.pool.query(
      `select 1 from engine.fact where type = 'SightChanged' and body->>'user' = 'nora' and tenant_id = $1`,
      [by.tenant],
    )
    expect(rows.length).toBeGreaterThanOrEqual(4)
  })

  test('whoever has nothing loaded sees no patient: it fails closed', async () => {
    expect(await seen(who('nora', 'nurse'), sightOf(who('nora', 'nurse'), 'read', 'subject'))).toEqual(['fridge'])
  })

  test('another organisation is not there, whatever ids are known', async () => {
    const other = await ground.tenant()
    const inOther = await ground.engine.db.asTenant(other, (tx) => isSeen(tx, ids.ours, undefined))
    expect(inOther).toBe(false)
  })

  test('outside a team are those who are in no team of the patient; a patient in none has nobody outside', async () => {
    const outside = (subject: string) =>
      ground.engine.db.asTenant(by.tenant, (tx) => outsideTeam(tx, subject, ['nora', 'ben', 'else']))
    expect(await outside(ids.ours)).toEqual(['ben', 'else'])
    expect(await outside(ids.teamless)).toEqual([])
    expect(await outside(ids.fridge)).toEqual([])
  })

  test('an opaque id is enough for who mends devices, and opens nothing else', async () => {
    const biomed = who('bo', 'biomed')
    const kinds: readonly SubjectKind[] = ['patient', 'asset', 'location']
    expect(sightOf(biomed, 'update', 'assignment')).toEqual({ kinds })
    for (const resource of ['subject', 'reading', 'series', 'alert', 'task'] as const)
      expect(sightOf(biomed, 'read', resource)).toEqual({ kinds: ['asset', 'location'] })
  })
})
