import type { CompleteTask } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { minute } from '../alerting/testing/scene.ts'
import type { StaffPrincipal } from '../identity/index.ts'
import { aPatient } from '../subjects/fixtures.ts'
import { grantSight, isSeen, type Sight, sightOf, withReach } from '../subjects/index.ts'
import { openToldScene, type ToldScene } from './testing/told-scene.ts'

let scene: ToldScene
beforeAll(async () => {
  scene = await openToldScene({ email: false })
})
afterAll(() => scene.stop())

/** Whether somebody, by what they are attached to now, finds this task. */
async function findsTask(id: string, patient: string): Promise<boolean> {
  const sight = await sightOfNurse(id)
  return scene.engine.db.asTenant(scene.tenant, (tx) => isSeen(tx, patient, sight))
}

async function sightOfNurse(id: string): Promise<Sight> {
  const nurse: StaffPrincipal = {
    ...{ kind: 'staff', tenant: scene.tenant, id, displayName: id, session: 's', roles: ['nurse'] },
  }
  return sightOf(await withReach(scene.engine, nurse), 'act', 'task')
}

async function inOtherTeam(): Promise<string> {
  const patient = await scene.aPatient()
  const team = await scene.subjects.createCareTeam(scene.by, { name: `Team of ${patient}`, members: ['ben'] })
  await scene.subjects.update(scene.by, patient, { ...aPatient(), team: team.id, version: 1 })
  return patient
}

test('task sight > whoever is told of a task by escalation opens it from outside the care team, while it is open', async () => {
  const patient = await inOtherTeam()
  const task = await scene.raise(patient)
  expect(await findsTask('nina', patient)).toBe(false)
  for (let i = 0; i < 4; i++) await scene.pass(15 * minute)
  expect(await scene.told(task)).toContain('in-app overdue nina 2')
  expect(await findsTask('nina', patient)).toBe(true)
  const nora = { tenant: scene.tenant, staff: 'nora' }
  await scene.workflow.complete(nora, task, { disposition: 'contacted-patient', note: 'Called, rests.', checked: [] })
  await scene.pass(2 * minute)
  expect(await findsTask('nina', patient)).toBe(false)
  // An owner by enrolment goes on seeing the patient.
  expect(await findsTask('nora', patient)).toBe(true)
})

const grantFor = (user: string, patient: string, until: number) =>
  scene.engine.db.asTenant(scene.tenant, (tx) =>
    grantSight(tx, {
      ...{ id: scene.engine.ids.uuid(), subject: patient, user, why: 'break-glass', source: `glass of ${patient}` },
      ...{ from: scene.clock.now(), until, actor: 'cli' },
    }),
  )
const done: CompleteTask = { disposition: 'contacted-patient', note: 'Called, rests.', checked: [] }

test('task sight > whoever took a task in an emergency finishes it when the emergency access is over', async () => {
  const patient = await inOtherTeam()
  const task = await scene.raise(patient)
  await grantFor('nina', patient, scene.clock.now() + 10 * minute)
  const nina = { tenant: scene.tenant, staff: 'nina', sight: await sightOfNurse('nina') }
  expect(await scene.workflow.claim(nina, task)).toEqual({ done: true })
  await scene.pass(11 * minute)
  expect(await findsTask('nina', patient)).toBe(true)
  await scene.workflow.complete({ ...nina, sight: await sightOfNurse('nina') }, task, done)
  await scene.pass(2 * minute)
  expect(await findsTask('nina', patient)).toBe(false)
})

test('task sight > who has a task, or answers for it, keeps it in sight when the patient goes to another team', async () => {
  const patient = await scene.aPatient()
  const task = await scene.raise(patient)
  await scene.workflow.claim({ tenant: scene.tenant, staff: 'nina' }, task)
  const team = await scene.subjects.createCareTeam(scene.by, { name: 'Elsewhere', members: ['ben'] })
  await scene.subjects.update(scene.by, patient, { ...aPatient(), team: team.id, version: 1 })
  // The owner answers by the task alone from here on.
  const [enrolment] = await scene.subjects.enrolmentsOf(scene.tenant, patient)
  await scene.subjects.updateEnrolment(scene.by, enrolment!.id, { owner: 'ben', backup: null })
  await scene.settle()
  expect([await findsTask('nora', patient), await findsTask('nina', patient)]).toEqual([true, true])
  await scene.workflow.complete({ tenant: scene.tenant, staff: 'nina' }, task, done)
  await scene.pass(2 * minute)
  expect([await findsTask('nora', patient), await findsTask('nina', patient)]).toEqual([false, false])
})

test('task sight > who has a task keeps it in sight when they leave the care team', async () => {
  const patient = await scene.aPatient()
  const team = await scene.subjects.createCareTeam(scene.by, { name: 'Day and night', members: ['ben', 'nora'] })
  await scene.subjects.update(scene.by, patient, { ...aPatient(), team: team.id, version: 1 })
  const task = await scene.raise(patient)
  await scene.workflow.claim({ tenant: scene.tenant, staff: 'ben' }, task)
  const [enrolment] = await scene.subjects.enrolmentsOf(scene.tenant, patient)
  await scene.subjects.updateEnrolment(scene.by, enrolment!.id, { owner: 'nora', backup: null })
  await scene.subjects.setCareTeamMembers(scene.by, team.id, ['nora'])
  await scene.settle()
  expect(await findsTask('ben', patient)).toBe(true)
})

test('task sight > who is handed a task or told of it is of its program’s team; who takes one is not', async () => {
  const patient = await inOtherTeam()
  const task = await scene.raise(patient)
  const [enrolment] = await scene.subjects.enrolmentsOf(scene.tenant, patient)
  const named = async (user: string) =>
    (
      await scene.rows<{ enrolment_id: string | null }>(
        `select enrolment_id from tenant.sight_grant where subject_id = '${patient}' and user_id = '${user}' and ended_at is null`,
      )
    ).map((row) => row.enrolment_id)
  await scene.workflow.claim({ tenant: scene.tenant, staff: 'nina' }, task)
  expect(await named('nina')).toEqual([null])
  // Of the patient's care team already: handed on, it is theirs as a task of this program.
  expect(await named('ben')).toEqual([])
  await scene.workflow.handOff({ tenant: scene.tenant, staff: 'nina' }, task, { to: 'nora', note: '' })
  expect(await named('nora')).toEqual([enrolment!.id])
})

test('task sight > a task that is handed to a colleague of another team is theirs to open at once', async () => {
  const patient = await inOtherTeam()
  const task = await scene.raise(patient)
  expect(await findsTask('nina', patient)).toBe(false)
  await scene.workflow.handOff({ tenant: scene.tenant, staff: 'nora' }, task, { to: 'nina', note: '' })
  expect(await findsTask('nina', patient)).toBe(true)
})
