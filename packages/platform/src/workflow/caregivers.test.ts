/** What caregivers hear of alerts, and what a withdrawal ends: nothing of it touches who answers for the patient. */
import type { AnyRole, CompleteTask, NewConsent } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeAlerting, programSignals } from '../alerting/index.ts'
import { readTrail } from '../audit/index.ts'
import type { Principal } from '../identity/index.ts'
import { type By, makeSubjects, sightOf, withReach } from '../subjects/index.ts'
import { openToldScene, type ToldScene } from './testing/told-scene.ts'
import { makeWorkflow } from './workflow.ts'

let scene: ToldScene
beforeAll(async () => {
  scene = await openToldScene({ email: false })
})
afterAll(() => scene?.stop())

const consented = (patient: string, over: Partial<NewConsent> = {}) =>
  scene.subjects.consents.record(scene.by, patient, {
    ...{ decision: 'permit', grantee: { kind: 'caregiver', id: 'daughter' } },
    verification: { how: 'signed-paper' },
    ...over,
  })
const withdraw = (patient: string, consent: string) =>
  scene.subjects.consents.withdraw(scene.by, { subject: patient, consent }, {})

const byOfPerson = async (id: string, ...roles: AnyRole[]): Promise<By> => {
  const bare: Principal = { kind: 'staff', tenant: scene.tenant, id, displayName: id, roles, session: 's' }
  const who = await withReach(scene.engine, bare)
  return { tenant: scene.tenant, actor: `staff:${id}`, who, sight: sightOf(who, 'read', 'alert') }
}
const listed = async () => {
  const by = await byOfPerson('daughter', 'caregiver')
  return (await scene.workflow.caregiverNotifications(by, 'daughter')).items
}

test('caregivers > are told of what they may see, by its title only, and are no step of escalation', async () => {
  const patient = await scene.aPatient()
  await consented(patient, { classes: ['vital-signs'] })
  await consented(patient, { classes: ['activity'], grantee: { kind: 'caregiver', id: 'neighbour' } })
  const task = await scene.raise(patient)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'in-app raised daughter 0'])
  const [told] = await listed()
  expect(told).toMatchObject({ task, why: 'raised', title: 'Blood pressure severely high' })
  expect(JSON.stringify(told)).not.toMatch(/192|Zwölf/)
  const [, daughters] = await scene.intents(task)
  expect(daughters).toMatchObject({ recipient: 'daughter', attempts: 1 })
  expect(daughters!.delivered_at).not.toBeNull()
  // What was read and what was not: the list tells of the same, and only once is it delivered.
  expect(await listed()).toHaveLength(1)
})

test('caregivers > a withdrawal in an open crisis ends what they hear; the clinician still sees, claims and completes it', async () => {
  const patient = await scene.aPatient()
  const { id } = await consented(patient)
  const task = await scene.raise(patient)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'in-app raised daughter 0'])
  await withdraw(patient, id)
  // At once, before any stage has heard of it.
  expect((await listed()).filter((told) => told.task === task)).toEqual([])
  await scene.settle()
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'in-app raised daughter 0 not: no-consent'])
  const { rows } = await scene.workflow.worklist({ tenant: scene.tenant, actor: 'staff:nora' })
  expect(rows.find((row) => row.task === task)).toMatchObject({
    ...{ status: 'open', priority: 'high', owner: { id: 'nora' }, condition: 'active' },
  })
  const nora = await byOfPerson('nora', 'nurse')
  expect(await scene.workflow.task(nora, task)).toMatchObject({ status: 'open', handling: 'new' })
  const daughter = await byOfPerson('daughter', 'caregiver')
  const notThere = expect.objectContaining({ code: 'task-not-found' })
  await expect(scene.workflow.task(daughter, task)).rejects.toEqual(notThere)

  // Nobody acts for a while: the owner is reminded, the caregiver is not.
  await scene.pass(20 * 60_000)
  const told = await scene.told(task)
  expect(told).toContain('in-app reminder nora 0')
  expect(told.filter((each) => each.includes('daughter'))).toEqual(['in-app raised daughter 0 not: no-consent'])

  const acting = { tenant: scene.tenant, staff: 'nora' }
  await scene.workflow.claim(acting, task)
  const end: CompleteTask = { disposition: 'contacted-patient', note: 'Reached, will come in.', checked: [] }
  await scene.workflow.complete(acting, task, end)
  expect(await scene.workflow.task(nora, task)).toMatchObject({ status: 'completed', handling: 'closed' })
})

test('caregivers > whoever was let in later hears of what comes from then on, and of nothing before', async () => {
  const patient = await scene.aPatient()
  const task = await scene.raise(patient)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
  await consented(patient)
  await scene.settle()
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
})

test('42 CFR Part 2 > alerts and tasks of a labelled program are for its team; to other clinicians they are not there', async () => {
  const { engine, tenant, by } = scene
  const subjects = makeSubjects(engine, async () => scene.people, null, {
    programs: (of) => programSignals(engine, of),
    grantees: async () => new Map(),
  })
  const workflow = makeWorkflow(engine, subjects, async () => scene.people)
  const alerting = makeAlerting(engine, subjects, async () => scene.people)
  const patient = await scene.aPatient()
  const task = await scene.raise(patient)
  const [nora, nina] = [await byOfPerson('nora', 'nurse'), await byOfPerson('nina', 'nurse')]
  const seenBy = async (who: By) => {
    const { rows } = await workflow.worklist(who)
    const alerts = (await alerting.alertsOf(who, patient, {})).items.length
    const enrolments = (await subjects.readEnrolments(who, patient)).length
    return [rows.some((row) => row.task === task), alerts, enrolments]
  }
  expect(await seenBy(nina)).toEqual([true, 1, 1])
  const label = `update tenant.program set definition = definition || '{"label":"part2"}' where code = 'hypertension-rpm'`
  await engine.db.pool.query(label)
  expect(await seenBy(nina)).toEqual([true, 1, 1])
  await subjects.consents.changeSettings(by, { holdsPart2: true, ownServices: [] })
  expect(await seenBy(nina)).toEqual([false, 0, 0])
  expect(await seenBy(nora)).toEqual([true, 1, 1])
  const { alert } = await workflow.task(nora, task)
  await expect(workflow.task(nina, task)).rejects.toMatchObject({ code: 'task-not-found' })
  await expect(alerting.explain(nina, alert)).rejects.toMatchObject({ code: 'alert-not-found' })
  const denied = await engine.db.asTenant(tenant, (tx) => readTrail(tx, { subject: patient, limit: 200 }))
  expect(denied.filter(({ action }) => action === 'denied').map(({ actor, resource }) => [actor, resource])).toEqual(
    expect.arrayContaining([
      ['staff:nina', 'task'],
      ['staff:nina', 'alert'],
    ]),
  )
  // One consent for treatment that names it opens it to whoever treats.
  await subjects.consents.record(by, patient, {
    ...{ decision: 'permit', grantee: { kind: 'treatment' }, part2: true, verification: { how: 'signed-paper' } },
  })
  expect(await seenBy(nina)).toEqual([true, 1, 1])
})
