import { type FhirTree, parseFhir, validate } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { settledFacts, type TestEngine, testEngine } from '../../engine/testing/index.ts'
import { aDevice, testFleet } from '../../fleet/fixtures.ts'
import { type Fleet, forgetWearer } from '../../fleet/index.ts'
import { aFridge, aPatient, byTest } from '../../subjects/fixtures.ts'
import type { Subjects } from '../../subjects/index.ts'
import type { Clinical } from '../clinical.ts'
import { testClinical } from '../fixtures.ts'
import { forgetClinical } from '../forget-clinical.ts'
import { takeViews } from './follow-views.ts'
import type { KeepingViews } from './keep-views.ts'
import { ownViews } from './own-views.ts'
import { rebuildViews, takeFromBefore } from './rebuild-views.ts'
import { takeInSubjects } from './take-in.ts'
import { takeUntold } from './views-stage.ts'

let ground: TestEngine
let clock: ManualClock
let clinical: Clinical
let subjects: Subjects
let fleet: Fleet
let keeping: KeepingViews
let tenant: string
beforeAll(async () => {
  clock = makeManualClock(Date.parse('2026-02-01T12:00:00Z'))
  ground = await testEngine({ clock })
  tenant = await ground.tenant()
  ;({ clinical, subjects } = testClinical(ground.engine, { takeIn: takeInSubjects(ground.engine) }))
  fleet = testFleet(ground.engine)
  keeping = { clinical, views: ownViews(ground.engine, clinical) }
})
afterAll(() => ground?.stop())

const by = () => byTest(tenant)
const follow = async () => {
  await settledFacts(ground.engine)
  while (await takeViews(ground.engine, keeping));
}
const read = async (type: string, id: string) => {
  const stored = await clinical.read(by(), type, id)
  return { version: stored.version, resource: JSON.parse(stored.text), stored }
}
/** Every row of the record as it is served, by type and id. */
const everything = async (): Promise<Map<string, string>> => {
  const { items } = await clinical.history(by(), { limit: 1_000 })
  return new Map(items.map(({ type, id, version, text }) => [`${type}/${id}/${version}`, text]))
}
const problems = async () => {
  const texts = [...(await everything()).values()].filter((text) => text !== '')
  return texts.flatMap((text) =>
    validate(JSON.parse(text)).filter(({ severity }) => severity === 'error' || severity === 'fatal'),
  )
}

describe('views of subjects', () => {
  test('who is entered on a page is a Patient a moment later, with what we know besides', async () => {
    const { id } = await subjects.create(by(), aPatient())
    await follow()
    const { resource, version } = await read('Patient', id)
    expect(version).toBe(1)
    expect(resource).toMatchObject({
      ...{ resourceType: 'Patient', id, birthDate: '1947-02-11' },
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode: 'Europe/Vienna' }],
      managingOrganization: { reference: `Organization/${tenant}` },
    })
    expect(resource.meta.lastUpdated).toBe('2026-02-01T12:00:00.000Z')
  })

  test('a change on a page is a new version; the same facts again are none', async () => {
    const { id, version, resource, timeZone } = await subjects.create(by(), aPatient())
    await follow()
    clock.advance(60_000)
    await subjects.update(by(), id, { version, timeZone, resource: { ...resource, birthDate: '1950-01-01' } })
    await follow()
    const after = await read('Patient', id)
    expect([after.version, after.resource.birthDate]).toEqual([2, '1950-01-01'])
    expect(after.resource.meta.lastUpdated).toBe('2026-02-01T12:01:00.000Z')
    await rebuildViews(ground.engine, keeping, tenant)
    expect((await read('Patient', id)).version).toBe(2)
  })

  test('things that are watched are a Device and a Location, each with its organisation', async () => {
    const fridge = await subjects.create(by(), aFridge())
    const room = await subjects.create(by(), {
      timeZone: 'UTC',
      resource: { resourceType: 'Location', name: 'Pharmacy store' },
    })
    await follow()
    expect((await read('Device', fridge.id)).resource).toMatchObject({ owner: { reference: `Organization/${tenant}` } })
    expect((await read('Location', room.id)).resource).toMatchObject({ mode: 'instance', name: 'Pharmacy store' })
  })
})

describe('what a record system writes', () => {
  const ehr = (id: string, more: object = {}): FhirTree =>
    ({
      ...{ resourceType: 'Patient', id, active: true },
      ...more,
    }) as FhirTree

  test('a patient under an id of theirs is a subject under one of ours, at once and without an echo', async () => {
    const text =
      '{"resourceType":"Patient","id":"ehr.4711","extension":[{"url":"urn:x","valueDecimal":1.50}],"name":[{"family":"Ehrenreich"}]}'
    const { stored } = await clinical.update(by(), parseFhir(text))
    expect(stored.subject).not.toBe('ehr.4711')
    const named = (await subjects.names(tenant, [stored.subject!])).get(stored.subject!)
    expect(named).toMatchObject({ kind: 'patient', display: 'Ehrenreich', timeZone: 'UTC' })
    await follow()
    await rebuildViews(ground.engine, keeping, tenant)
    const after = await read('Patient', 'ehr.4711')
    expect(after.version).toBe(1)
    expect(after.stored.text).toContain('"valueDecimal":1.50')
    expect(await ground.engine.db.asTenant(tenant, (tx) => clinical.patientIdOf(tx, stored.subject!))).toBe('ehr.4711')
  })

  test('without a name, or with a number of no numbering system, it is taken and shown by words that say so', async () => {
    const { stored } = await clinical.update(by(), ehr('nameless', { identifier: [{ value: '12345' }] }))
    const named = (await subjects.names(tenant, [stored.subject!])).get(stored.subject!)
    expect(named?.display).toBe('Patient without a name')
    await follow()
    expect((await read('Patient', 'nameless')).version).toBe(1)
  })

  test('its zone is what it says; a later page change shows in FHIR, and who has not seen that is told', async () => {
    const zone = { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode: 'Asia/Tokyo' }] }
    const { stored } = await clinical.update(by(), ehr('tokyo', { ...zone, name: [{ family: 'Sato' }] }))
    const subject = await subjects.subject(by(), stored.subject!)
    expect(subject.timeZone).toBe('Asia/Tokyo')
    clock.advance(1_000)
    await subjects.update(by(), subject.id, {
      ...{ version: subject.version, timeZone: 'Asia/Tokyo' },
      resource: { ...subject.resource, birthDate: '1960-06-06' } as typeof subject.resource,
    })
    const stale = clinical.update(by(), ehr('tokyo', { name: [{ family: 'Suzuki' }] }))
    await expect(stale).rejects.toMatchObject({ code: 'subject-moved' })
    await follow()
    expect((await read('Patient', 'tokyo')).resource).toMatchObject({ id: 'tokyo', birthDate: '1960-06-06' })
    await clinical.update(by(), ehr('tokyo', { name: [{ family: 'Suzuki' }] }))
    await follow()
    expect((await subjects.subject(by(), subject.id)).display).toBe('Suzuki')
    expect((await read('Patient', 'tokyo')).version).toBe(3)
  })

  test('an identifier that another patient has is refused where it stands, and nothing is written', async () => {
    const identifier = [{ system: 'urn:oid:1.2.3', value: 'A-1' }]
    await clinical.update(by(), ehr('first', { identifier }))
    const second = clinical.update(by(), ehr('second', { identifier: [{ value: 'x' }, ...identifier] }))
    await expect(second).rejects.toMatchObject({ code: 'identifier-taken', pointer: 'Patient.identifier[1]' })
    await expect(read('Patient', 'second')).rejects.toMatchObject({ code: 'resource-not-found' })
  })

  test('a location is a place that can be watched; a device is an asset only where it is tagged as one', async () => {
    const ward = { resourceType: 'Location', id: 'ward-1', name: 'Ward 1' } as FhirTree
    expect((await clinical.update(by(), ward)).stored.subject).not.toBeNull()
    const tag = [{ system: 'urn:careloop:subject-kind', code: 'asset' }]
    const freezer = { resourceType: 'Device', id: 'freezer-1', meta: { tag }, modelNumber: 'ULT-80' } as FhirTree
    const asset = await clinical.update(by(), freezer)
    expect((await subjects.names(tenant, [asset.stored.subject!])).values().next().value?.display).toBe('ULT-80')
    const gateway = { resourceType: 'Device', id: 'phg-ECDE3D4E58532D31.000000000000', status: 'active' } as FhirTree
    expect((await clinical.update(by(), gateway)).stored.subject).toBeNull()
    await follow()
    for (const [type, id] of [
      ['Location', 'ward-1'],
      ['Device', 'freezer-1'],
      ['Device', gateway.id as string],
    ] as const)
      expect((await read(type, id)).version).toBe(1)
  })

  test('what our rooms keep is not changed by FHIR: the refusal says what to do instead', async () => {
    const { id: device } = await fleet.enrolDevice(by(), aDevice())
    const onItsWay = clinical.update(by(), { resourceType: 'Device', id: device, status: 'active' } as FhirTree)
    await expect(onItsWay).rejects.toMatchObject({ code: 'resource-derived' })
    await follow()
    const own = clinical.update(by(), { resourceType: 'Device', id: device, status: 'inactive' } as FhirTree)
    await expect(own).rejects.toMatchObject({
      code: 'resource-derived',
      message: expect.stringContaining('/api/v1/devices'),
    })
    const organisation = { resourceType: 'Organization', id: tenant, name: 'Other' } as FhirTree
    await takeUntold(ground.engine, keeping, { since: 0, until: clock.now() })
    await expect(clinical.update(by(), organisation)).rejects.toMatchObject({ code: 'resource-derived' })
  })
})

describe('views of care and of devices', () => {
  test('a team, its patient, a plan and a consent point to one another by FHIR ids', async () => {
    const team = await subjects.createCareTeam(by(), { name: 'Heart failure', members: ['nora'] })
    const patient = await subjects.create(by(), { ...aPatient(), team: team.id })
    const plan = await subjects.enrol(by(), patient.id, {
      program: 'home-blood-pressure',
      owner: 'nora',
      backup: 'ben',
    })
    const consent = await subjects.consents.record({ ...by() }, patient.id, {
      ...{ decision: 'permit', grantee: { kind: 'treatment' }, verification: { how: 'signed-paper' } },
    })
    await follow()
    expect((await read('CareTeam', patient.id)).resource).toMatchObject({
      subject: { reference: `Patient/${patient.id}` },
      participant: [{ member: { reference: 'Practitioner/nora' } }, { member: { reference: `CareTeam/${team.id}` } }],
    })
    expect((await read('CarePlan', plan.id)).resource).toMatchObject({
      ...{ status: 'active', author: { reference: 'Practitioner/nora' } },
      instantiatesCanonical: ['urn:careloop:program:home-blood-pressure'],
      careTeam: [{ reference: `CareTeam/${patient.id}` }],
    })
    expect((await read('Consent', consent.id)).resource).toMatchObject({
      patient: { reference: `Patient/${patient.id}` },
    })
    clock.advance(5_000)
    await subjects.setCareTeamMembers(by(), team.id, ['nora', 'ben'])
    await subjects.endEnrolment(by(), plan.id, null)
    await follow()
    expect((await read('CareTeam', patient.id)).resource.participant).toHaveLength(3)
    const ended = await read('CarePlan', plan.id)
    expect([ended.version, ended.resource.status]).toEqual([2, 'completed'])
    expect(ended.resource.meta.lastUpdated).toBe(new Date(clock.now()).toISOString())
  })

  test('a plan that ends by the clock is completed although nobody tells of it', async () => {
    const patient = await subjects.create(by(), aPatient())
    const to = clock.now() + 60_000
    const plan = await subjects.enrol(by(), patient.id, { program: 'home-blood-pressure', owner: 'nora', to })
    await follow()
    expect((await read('CarePlan', plan.id)).resource.status).toBe('active')
    clock.advance(120_000)
    await takeUntold(ground.engine, keeping, { since: to - 1, until: clock.now() })
    expect((await read('CarePlan', plan.id)).resource.status).toBe('completed')
  })

  test('a device says what it is, what it measures, and who wears it now and wore it before', async () => {
    const wanted = aDevice({ profile: 'ble-blood-pressure', address: '54:48:E6:8F:80:A5' })
    const { id } = await fleet.enrolDevice(by(), wanted)
    const patient = await subjects.create(by(), aPatient())
    const span = await fleet.assign(by(), id, patient.id, null)
    await follow()
    const { resource } = await read('Device', id)
    expect(resource).toMatchObject({
      patient: { reference: `Patient/${patient.id}` },
      type: { coding: [{ code: '528391' }, { system: 'http://snomed.info/sct' }] },
      identifier: [{ value: wanted.name }, { value: 'SER-99-QX7' }, { value: '54-48-E6-8F-80-A5' }],
    })
    expect((await read('DeviceMetric', `${id}-systolic`)).resource).toMatchObject({
      ...{ source: { reference: `Device/${id}` }, category: 'measurement' },
      unit: { coding: [{ code: 'mm[Hg]' }] },
    })
    clock.advance(3_600_000)
    await fleet.unassign(by(), id, null)
    await follow()
    expect((await read('Device', id)).resource.patient).toBeUndefined()
    expect((await read('DeviceUseStatement', span.id)).resource).toMatchObject({
      ...{ status: 'completed', subject: { reference: `Patient/${patient.id}` } },
      timingPeriod: { end: new Date(clock.now()).toISOString() },
    })
  })

  test('a device of another profile measures other things: what it measured no more is no more', async () => {
    const { id } = await fleet.enrolDevice(by(), aDevice({ profile: 'ble-blood-pressure' }))
    await follow()
    clock.advance(1_000)
    await fleet.updateDevice(by(), id, { classification: 'medical', profile: 'ble-weight-scale' })
    await follow()
    await expect(read('DeviceMetric', `${id}-systolic`)).rejects.toMatchObject({ code: 'resource-gone' })
    expect((await read('DeviceMetric', `${id}-body-weight`)).version).toBe(1)
  })
})

describe('who is erased', () => {
  test('leaves no view, and none is made again of what the rooms keep of them under opaque ids', async () => {
    const { id } = await fleet.enrolDevice(by(), aDevice())
    const team = await subjects.createCareTeam(by(), { name: 'Erasing', members: ['nora'] })
    const patient = await subjects.create(by(), { ...aPatient(), team: team.id })
    await subjects.enrol(by(), patient.id, { program: 'home-blood-pressure', owner: 'nora' })
    await fleet.assign(by(), id, patient.id, null)
    await follow()
    const left = async () =>
      (
        await ground.engine.db.asTenant(tenant, (tx) =>
          tx.client.query<{ type: string }>(
            'select type from tenant.clinical_resource where tenant_id = $1 and subject_id = $2 order by type',
            [tenant, patient.id],
          ),
        )
      ).rows.map(({ type }) => type)
    expect(await left()).toEqual(['CarePlan', 'CareTeam', 'Device', 'DeviceUseStatement', 'Patient'])
    const erased = { tenant, subject: patient.id, at: clock.now() + 1_000, actor: 'cli' }
    await ground.engine.db.asEngine(async (tx) => {
      await forgetWearer(ground.engine)(tx, erased)
      await forgetClinical(tx, erased)
      await tx.client.query('update tenant.subject set erased_at = $2 where id = $1', [patient.id, erased.at])
      await tx.publish(tenant, { type: 'SubjectChanged', subject: patient.id })
    })
    clock.advance(2_000)
    await follow()
    await rebuildViews(ground.engine, keeping, tenant)
    expect(await left()).toEqual([])
    expect((await read('Device', id)).resource.patient).toBeUndefined()
  })
})

describe('all views', () => {
  test('each is valid FHIR', async () => {
    await takeUntold(ground.engine, keeping, { since: 0, until: clock.now() })
    expect(await problems()).toEqual([])
  })

  test('made again from nothing they are the same to the byte', async () => {
    await rebuildViews(ground.engine, keeping, tenant)
    const first = await everything()
    const derived = await newest()
    await ground.engine.db.asTenant(tenant, async (tx) => {
      for (const table of ['clinical_history', 'clinical_key', 'clinical_resource'])
        await tx.client.query(`delete from tenant.${table} where tenant_id = $1`, [tenant])
    })
    await rebuildViews(ground.engine, keeping, tenant)
    const again = await newest()
    expect(first.size).toBeGreaterThan(30)
    expect([...again.keys()].sort()).toEqual([...derived.keys()].sort())
    for (const [name, text] of again) expect([name, text]).toEqual([name, derived.get(name)])
  })

  const ofVersion1 = (text: string) => text.replace(/"versionId":"\d+"/, '"versionId":"1"')
  // A signal that a device measures before and after a change of its profile is as old as its first version, made anew as the change.
  const unstamped = (text: string) => text.replace(/"meta":\{[^}]*\}/, '')
  /** Of what made itself again: version 1 of each, in place of the number it had come to. */
  async function newest(): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (const [name, text] of await everything()) {
      const key = name.split('/').slice(0, 2).join('/')
      if (!found.has(key)) found.set(key, key.startsWith('DeviceMetric/') ? unstamped(text) : ofVersion1(text))
    }
    // A gateway that a client wrote is of no room of ours: nothing is left by which it could come back.
    return new Map([...found].filter(([key, text]) => text !== '' && !key.startsWith('Device/phg-')))
  }

  test('what was there before its views is made in pieces, once', async () => {
    let pieces = 0
    while (await takeFromBefore(ground.engine, keeping)) pieces++
    expect(pieces).toBeGreaterThan(keeping.views.length)
    expect(await takeFromBefore(ground.engine, keeping)).toBe(false)
  })
})
