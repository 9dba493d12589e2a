import type { FhirTree } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../../engine/testing/index.ts'
import { byTest } from '../../subjects/fixtures.ts'
import type { Subjects } from '../../subjects/index.ts'
import type { Clinical } from '../clinical.ts'
import { anObservation, countRows, patientFor, testClinical } from '../fixtures.ts'
import { forgetClinical } from '../index.ts'

let ground: TestEngine
let clock: ManualClock
let clinical: Clinical
let subjects: Subjects
let tenant: string
beforeAll(async () => {
  clock = makeManualClock(Date.parse('2026-02-01T12:00:00Z'))
  ground = await testEngine({ clock })
  tenant = await ground.tenant()
  ;({ clinical, subjects } = testClinical(ground.engine))
})
afterAll(() => ground?.stop())

const by = () => byTest(tenant)
const trail = async () =>
  (
    await ground.engine.db.pool.query<{ action: string; resource: string; subject_id: string | null }>(
      'select action, resource, subject_id from tenant.audit_entry where tenant_id = $1 order by id',
      [tenant],
    )
  ).rows

describe('the store of the record', () => {
  test('what is created is read back to the letter, with an id and a version of ours, and both are in the trail', async () => {
    const patient = await patientFor(subjects, tenant)
    const { stored, isNew } = await clinical.create(by(), anObservation(patient))
    expect([isNew, stored.version, stored.subject]).toEqual([true, 1, patient])
    expect(stored.text).toContain('"value":98.50')
    expect(stored.text).toContain('"versionId":"1","lastUpdated":"2026-02-01T12:00:00.000Z"')
    expect(await clinical.read(by(), 'Observation', stored.id)).toEqual(stored)
    expect((await trail()).slice(-2)).toEqual([
      { action: 'create', resource: 'observation', subject_id: patient },
      { action: 'read', resource: 'observation', subject_id: patient },
    ])
  })

  test('every version stays: read one by one, and as a history with the newest first', async () => {
    const patient = await patientFor(subjects, tenant)
    const id = 'any.LEGAL-id.0060'
    const of = (status: string): FhirTree => ({ ...anObservation(patient, { status }), id }) as FhirTree
    expect((await clinical.update(by(), of('preliminary'))).isNew).toBe(true)
    clock.advance(1_000)
    const second = await clinical.update(by(), of('final'), { version: 1 })
    expect([second.isNew, second.stored.version]).toEqual([false, 2])
    expect((await clinical.update(by(), of('final'))).isChanged).toBe(false)
    clock.advance(1_000)
    expect((await clinical.remove(by(), 'Observation', id))?.version).toBe(3)
    await expect(clinical.read(by(), 'Observation', id)).rejects.toMatchObject({ code: 'resource-gone' })
    expect((await clinical.vread(by(), 'Observation', id, 1)).text).toContain('preliminary')
    const { items } = await clinical.history(by(), { type: 'Observation', id, limit: 10 })
    expect(items.map(({ version, isDeleted }) => [version, isDeleted])).toEqual([
      [3, true],
      [2, false],
      [1, false],
    ])
    const back = await clinical.update(by(), of('amended'))
    expect([back.isNew, back.stored.version]).toEqual([false, 4])
  })

  test('a page of the history of a type goes on where the one before ended', async () => {
    const all = await clinical.history(by(), { type: 'Observation', limit: 100 })
    const paged: unknown[] = []
    for (let after: string | null | undefined; after !== null; ) {
      const page = await clinical.history(by(), { type: 'Observation', limit: 2, ...(after ? { after } : {}) })
      paged.push(...page.items)
      after = page.next
    }
    expect(paged).toEqual(all.items)
    expect(all.items.length).toBeGreaterThan(4)
  })

  test('who read an older version changes nothing', async () => {
    const patient = await patientFor(subjects, tenant)
    const { stored } = await clinical.create(by(), anObservation(patient))
    const next = { ...anObservation(patient, { status: 'amended' }), id: stored.id } as FhirTree
    await clinical.update(by(), next, { version: 1 })
    await expect(clinical.update(by(), next, { version: 1 })).rejects.toMatchObject({ code: 'version-moved' })
    await expect(clinical.update(by(), next, { isNew: true })).rejects.toMatchObject({ code: 'version-moved' })
    await expect(clinical.remove(by(), 'Observation', stored.id, { version: 1 })).rejects.toMatchObject({
      code: 'version-moved',
    })
  })

  test('of fifty who put the same new id at the same time one makes it, and the others change it or find it so', async () => {
    const patient = await patientFor(subjects, tenant)
    const puts = Array.from({ length: 50 }, (_, at) =>
      clinical.update(by(), { ...anObservation(patient, { note: [{ text: `n${at % 5}` }] }), id: 'raced' } as FhirTree),
    )
    const done = await Promise.all(puts)
    expect(done.filter(({ isNew }) => isNew)).toHaveLength(1)
    const { items } = await clinical.history(by(), { type: 'Observation', id: 'raced', limit: 100 })
    expect(items.map(({ version }) => version)).toEqual(
      Array.from({ length: items.length }, (_, at) => items.length - at),
    )
  })

  test('an observation of a patient who is not here is refused with the element that says so', async () => {
    await expect(clinical.create(by(), anObservation(ground.engine.ids.uuid()))).rejects.toMatchObject({
      ...{ code: 'patient-unknown', pointer: 'Observation.subject' },
    })
  })

  test('a view is made once, made again to the byte without a version, and changed by no client', async () => {
    const patient = await patientFor(subjects, tenant)
    const resource = { ...anObservation(patient, { valueQuantity: { value: 97, unit: '%' } }), id: 'view-1' }
    const keep = (note?: string) =>
      ground.engine.db.asTenant(tenant, (tx) =>
        clinical.keepDerived(tx, [
          {
            resource: note === undefined ? resource : { ...resource, note: [{ text: note }] },
            subject: patient,
            signals: ['spo2'],
            at: 1_700_000_000_000,
          },
        ]),
      )
    await keep()
    const first = await clinical.read(by(), 'Observation', 'view-1')
    await keep()
    expect(await clinical.read(by(), 'Observation', 'view-1')).toEqual(first)
    expect([first.version, first.isDerived, first.signals]).toEqual([1, true, ['spo2']])
    expect(first.text).toContain('"lastUpdated":"2023-11-14T22:13:20.000Z"')
    await keep('corrected')
    expect((await clinical.read(by(), 'Observation', 'view-1')).version).toBe(2)
    const put = clinical.update(by(), { ...anObservation(patient), id: 'view-1' } as FhirTree)
    await expect(put).rejects.toMatchObject({ code: 'resource-derived' })
    await ground.engine.db.asTenant(tenant, (tx) => clinical.dropDerived(tx, 'Observation', 'view-1', clock.now()))
    await expect(clinical.read(by(), 'Observation', 'view-1')).rejects.toMatchObject({ code: 'resource-gone' })
  })

  test('who is erased leaves nothing: no resource, no version, no key; of others nothing is missing', async () => {
    const alone = await ground.tenant()
    const [gone, stays] = [await patientFor(subjects, alone), await patientFor(subjects, alone)]
    const as = byTest(alone)
    for (const patient of [gone, stays])
      for (const status of ['final', 'amended'])
        await clinical.update(as, { ...anObservation(patient, { status }), id: `of-${patient}` } as FhirTree)
    const before = await ground.engine.db.asTenant(alone, countRows)
    const erased = { tenant: alone, subject: gone, at: clock.now(), actor: 'cli' }
    expect(before.keys).toBeGreaterThan(2)
    await ground.engine.db.asEngine((tx) => forgetClinical(tx, erased))
    expect(await ground.engine.db.asTenant(alone, countRows)).toEqual({
      ...{ resources: 1, versions: 1, keys: before.keys / 2 },
    })
    await expect(clinical.read(as, 'Observation', `of-${gone}`)).rejects.toMatchObject({ code: 'resource-not-found' })
    expect((await clinical.read(as, 'Observation', `of-${stays}`)).version).toBe(2)
  })

  test("another organisation's resource is not there", async () => {
    const other = await ground.tenant()
    const patient = await patientFor(subjects, tenant)
    const { stored } = await clinical.create(by(), anObservation(patient))
    await expect(clinical.read(byTest(other), 'Observation', stored.id)).rejects.toMatchObject({
      code: 'resource-not-found',
    })
  })
})
