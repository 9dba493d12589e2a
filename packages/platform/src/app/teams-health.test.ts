import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestShell, testShell } from '../api/testing/test-shell.ts'
import { aPatient, byTest } from '../subjects/fixtures.ts'
import { makeSubjects } from '../subjects/index.ts'
import { systemHealth } from './system-health.ts'

let shell: TestShell
beforeAll(async () => {
  shell = await testShell()
})
afterAll(() => shell.close())

test('system health > tells of patients whose care team has nobody left who works here and treats', async () => {
  const { engine, identity, tenant } = shell
  const subjects = makeSubjects(engine, (of) => identity.members(of))
  const by = byTest(tenant)
  const said = async () =>
    (await systemHealth(engine, {})).troubles.map(({ what }) => what).filter((what) => what.includes('care team'))
  const nurse = await shell.signIn(['nurse'])
  const admin = await shell.signIn(['administrator'])
  const team = await subjects.createCareTeam(by, { name: 'Heart', members: [nurse.id] })
  await subjects.createCareTeam(by, { name: 'Without patients', members: [] })
  for (let made = 0; made < 2; made += 1) await subjects.create(by, { ...aPatient(), team: team.id })
  expect(await said()).toEqual([])
  await engine.db.pool.query('update auth.member set ended_at = now() where user_id = $1', [nurse.id])
  expect(await said()).toEqual(['2 patients are in a care team in which nobody works who treats.'])
  // An administrator reads no charts: in the team they see no patient of it.
  await subjects.setCareTeamMembers(by, team.id, [admin.id])
  expect(await said()).toHaveLength(1)
  await subjects.setCareTeamMembers(by, team.id, [(await shell.signIn(['physician'])).id])
  expect(await said()).toEqual([])
})
