import type { AnyRole } from '@careloop/contract'
import { validate } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertingViews } from '../alerting/index.ts'
import { anObservation, testClinical } from '../clinical/fixtures.ts'
import { type Clinical, type KeepingViews, ownViews, rebuildViews, takeUntold, takeViews } from '../clinical/index.ts'
import { settledFacts } from '../engine/testing/index.ts'
import { byOf, withReach } from '../subjects/index.ts'
import { workflowViews } from './fhir-views.ts'
import { openToldScene, type ToldScene } from './testing/told-scene.ts'

let scene: ToldScene
let clinical: Clinical
let keeping: KeepingViews
beforeAll(async () => {
  scene = await openToldScene({ email: false })
  ;({ clinical } = testClinical(scene.engine))
  const views = [ownViews, alertingViews, workflowViews].flatMap((each) => each(scene.engine, clinical))
  keeping = { clinical, views }
})
afterAll(() => scene?.stop())

async function follow() {
  await settledFacts(scene.engine)
  while (await takeViews(scene.engine, keeping));
}
const read = async (type: string, id: string) => {
  const { text, version, subject, signals, program } = await clinical.read(scene.by, type, id)
  return { resource: JSON.parse(text), version, subject, signals, program }
}
const alertOf = async (task: string): Promise<string> =>
  (await scene.rows<{ alert_id: string }>(`select alert_id from tenant.task where id = '${task}'`))[0]!.alert_id
const nora = () => ({ tenant: scene.tenant, staff: 'nora' })

describe('an alert in FHIR', () => {
  test('is raised, owned, told of, and closed: DetectedIssue, Flag, Task and Communication say the same', async () => {
    const patient = await scene.aPatient()
    const task = await scene.raise(patient)
    const alert = await alertOf(task)
    await follow()
    const issue = await read('DetectedIssue', alert)
    expect(issue.resource).toMatchObject({
      ...{ status: 'preliminary', severity: 'high', patient: { reference: `Patient/${patient}` } },
      code: { text: expect.stringMatching(/blood pressure/i) },
      detail: expect.stringContaining('192/124'),
    })
    expect(issue).toMatchObject({ subject: patient, program: 'hypertension-rpm' })
    expect(issue.signals).toEqual(expect.arrayContaining(['systolic', 'diastolic']))
    expect((await read('Flag', alert)).resource).toMatchObject({
      ...{ status: 'active', subject: { reference: `Patient/${patient}` } },
      extension: [{ valueReference: { reference: `DetectedIssue/${alert}` } }, {}],
    })
    expect((await read('Provenance', alert)).resource).toMatchObject({
      target: [{ reference: `DetectedIssue/${alert}` }, { reference: `Flag/${alert}` }],
      entity: expect.arrayContaining([expect.objectContaining({ role: 'source' })]),
    })
    expect((await read('Task', task)).resource).toMatchObject({
      ...{ status: 'requested', priority: 'stat', focus: { reference: `DetectedIssue/${alert}` } },
      owner: { reference: 'Practitioner/nora' },
      restriction: { recipient: [{ reference: 'Practitioner/nora' }, { reference: 'Practitioner/ben' }] },
    })
    const [told] = await scene.intents(task)
    const message = (await read('Communication', told!.id)).resource
    expect(message).toMatchObject({ status: 'completed', recipient: [{ reference: 'Practitioner/nora' }] })
    expect(message.payload).toBeUndefined()

    await scene.clock.advance(60_000)
    await scene.workflow.claim(nora(), task)
    await follow()
    expect((await read('Task', task)).resource.status).toBe('in-progress')
    await scene.clock.advance(60_000)
    const note = 'Took the tablet late.'
    await scene.workflow.complete(nora(), task, { disposition: 'contacted-patient', note, checked: [] })
    await follow()
    expect((await read('Task', task)).resource).toMatchObject({
      ...{ status: 'completed', owner: { reference: 'Practitioner/nora' } },
      output: [{ valueCodeableConcept: { coding: [{ code: 'contacted-patient' }] } }, { valueString: note }],
    })
    expect((await read('DetectedIssue', alert)).resource).toMatchObject({
      ...{ status: 'final', mitigation: [{ author: { reference: 'Practitioner/nora' } }] },
    })
    expect((await read('Flag', alert)).resource).toMatchObject({
      ...{ status: 'inactive', period: { end: new Date(scene.clock.now()).toISOString() } },
    })
  })

  test('points to the Observations that prove it, also when they are written a moment later', async () => {
    const patient = await scene.aPatient()
    const task = await scene.raise(patient)
    const alert = await alertOf(task)
    await follow()
    expect(JSON.stringify((await read('DetectedIssue', alert)).resource.evidence)).not.toContain('Observation/')
    // What raised it was measured a minute and a half before it was confirmed.
    const effectiveDateTime = new Date(scene.clock.now() - 90_000).toISOString()
    const code = { coding: [{ system: 'http://loinc.org', code: '8480-6' }] }
    const { stored } = await clinical.create(scene.by, anObservation(patient, { effectiveDateTime, code }))
    await takeUntold(scene.engine, keeping, { since: scene.clock.now() - 120_000, until: scene.clock.now() })
    const { evidence } = (await read('DetectedIssue', alert)).resource
    expect(evidence.at(-1)).toEqual({ detail: [{ reference: `Observation/${stored.id}` }] })
  })

  test('is not changed by FHIR: a Task is completed with a disposition, which a status does not say', async () => {
    const task = await scene.raise(await scene.aPatient())
    await follow()
    const { resource } = await read('Task', task)
    const done = clinical.update(scene.by, { ...resource, status: 'completed' })
    await expect(done).rejects.toMatchObject({
      code: 'resource-derived',
      message: expect.stringContaining('disposition'),
    })
    const flag = (await read('Flag', await alertOf(task))).resource
    const down = clinical.update(scene.by, { ...flag, status: 'inactive' })
    await expect(down).rejects.toMatchObject({ code: 'resource-derived' })
  })

  test('of a place or thing is a DetectedIssue without a patient, and a Task for the thing', async () => {
    for (let minutes = 0; minutes < 30; minutes++) {
      await scene.clock.advance(60_000)
      await scene.measure(scene.fridge, { 'temperature-probe': 20 })
    }
    await scene.settle()
    const task = await scene.taskOf(scene.fridge)
    await follow()
    const issue = (await read('DetectedIssue', await alertOf(task))).resource
    expect([issue.patient, issue.implicated]).toEqual([undefined, [{ reference: `Device/${scene.fridge}` }]])
    expect((await read('Task', task)).resource.for).toEqual({ reference: `Device/${scene.fridge}` })
    await expect(read('Flag', await alertOf(task))).rejects.toMatchObject({ code: 'resource-not-found' })
  })

  test('is there for whoever may see its patient, and for nobody else', async () => {
    const patient = await scene.aPatient()
    const team = await scene.subjects.createCareTeam(scene.by, { name: 'Ward 7', members: ['nora'] })
    const { version, timeZone, resource } = await scene.subjects.subject(scene.by, patient)
    await scene.subjects.update(scene.by, patient, { version, timeZone, resource, team: team.id })
    const task = await scene.raise(patient)
    const alert = await alertOf(task)
    await follow()
    const as = async (id: string, ...roles: AnyRole[]) => {
      const who = { kind: 'staff', tenant: scene.tenant, id, displayName: id, session: 's', roles } as const
      const by = byOf(await withReach(scene.engine, who), 'request-1')
      const seen = async (type: string, of: string) =>
        clinical.read(by, type, of).then(
          ({ type: found }) => found,
          (error: { code: string }) => error.code,
        )
      return [await seen('DetectedIssue', alert), await seen('Flag', alert), await seen('Task', task)]
    }
    expect(await as('nora', 'nurse')).toEqual(['DetectedIssue', 'Flag', 'Task'])
    expect(await as('nina', 'nurse')).toEqual(Array(3).fill('resource-not-found'))
    // Whoever works with things sees alerts about things.
    expect(await as('ida', 'integrator')).toEqual(Array(3).fill('resource-not-found'))
    const service = {
      kind: 'service',
      tenant: scene.tenant,
      id: scene.engine.ids.uuid(),
      scopes: ['alert:read'],
    } as const
    const outside = clinical.read(byOf(await withReach(scene.engine, service), 'request-2'), 'DetectedIssue', alert)
    await expect(outside).rejects.toMatchObject({ code: 'resource-not-found' })
  })

  test('a program is a PlanDefinition with its rules, their owners and limits', async () => {
    await follow()
    const { resource } = await read('PlanDefinition', 'hypertension-rpm')
    expect(resource).toMatchObject({ status: 'active', url: 'urn:careloop:program:hypertension-rpm' })
    expect(resource.action[0]).toMatchObject({ participant: [{ type: 'practitioner' }, { type: 'practitioner' }] })
  })

  test('every view is valid, and made again it is the same', async () => {
    await takeUntold(scene.engine, keeping, { since: 0, until: scene.clock.now() })
    const before = await clinical.history(scene.by, { limit: 1_000 })
    const invalid = before.items
      .filter(({ text }) => text !== '')
      .flatMap(({ text }) =>
        validate(JSON.parse(text)).filter(({ severity }) => severity !== 'warning' && severity !== 'information'),
      )
    expect(invalid).toEqual([])
    await rebuildViews(scene.engine, keeping, scene.tenant)
    expect(await clinical.history(scene.by, { limit: 1_000 })).toEqual(before)
    expect(new Set(before.items.map(({ type }) => type)).size).toBeGreaterThan(7)
  })
})
