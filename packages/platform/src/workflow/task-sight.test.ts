import { afterAll, beforeAll, expect, test } from 'vitest'
import { minute } from '../alerting/testing/scene.ts'
import type { StaffPrincipal } from '../identity/index.ts'
import { aPatient } from '../subjects/fixtures.ts'
import { isSeen, sightOf, withReach } from '../subjects/index.ts'
import { openToldScene, type ToldScene } from './testing/told-scene.ts'

let scene: ToldScene
beforeAll(async () => {
  scene = await openToldScene({ email: false })
})
afterAll(() => scene.stop())

/** Whether somebody, by what they are attached to now, finds this task. */
async function findsTask(id: string, patient: string): Promise<boolean> {
  const nurse: StaffPrincipal = {
    ...{ kind: 'staff', tenant: scene.tenant, id, displayName: id, session: 's', roles: ['nurse'] },
  }
  const sight = sightOf(await withReach(scene.engine, nurse), 'act', 'task')
  return scene.engine.db.asTenant(scene.tenant, (tx) => isSeen(tx, patient, sight))
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

test('task sight > a task that is handed to a colleague of another team is theirs to open at once', async () => {
  const patient = await inOtherTeam()
  const task = await scene.raise(patient)
  expect(await findsTask('nina', patient)).toBe(false)
  await scene.workflow.handOff({ tenant: scene.tenant, staff: 'nora' }, task, { to: 'nina', note: '' })
  expect(await findsTask('nina', patient)).toBe(true)
})
