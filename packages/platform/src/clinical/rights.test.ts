import type { FhirTree } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { parseScope, type ServicePrincipal, type SmartScope } from '../identity/index.ts'
import { byTest } from '../subjects/fixtures.ts'
import type { By, Subjects } from '../subjects/index.ts'
import type { Clinical } from './clinical.ts'
import { anObservation, patientFor, testClinical } from './fixtures.ts'

let ground: TestEngine
let clinical: Clinical
let subjects: Subjects
let tenant: string
beforeAll(async () => {
  ground = await testEngine()
  tenant = await ground.tenant()
  ;({ clinical, subjects } = testClinical(ground.engine))
})
afterAll(() => ground?.stop())

const category = (code: string) => [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] },
]

function byProgram(over: Partial<ServicePrincipal> = {}): By {
  const id = '018f0000-0000-7000-8000-000000000001'
  const who: ServicePrincipal = {
    ...({ kind: 'service', tenant, id, scopes: ['*:*'], reach: 'every-patient' } as const),
    ...over,
  }
  return { tenant, actor: `service:${id}`, who, requestId: ground.engine.ids.uuid() }
}

const byApp = (patient: string, ...scopes: string[]) =>
  byProgram({
    app: {
      ...{ client: 'app-1', name: 'Growth', patient },
      scopes: scopes.map((text) => parseScope(text) as SmartScope),
    },
  })

const refused = { code: 'type-not-yours' }
const notThere = { code: 'resource-not-found' }

describe('what an app is granted', () => {
  test('narrows by patient, by type and by condition, for reading and for writing', async () => {
    const [mine, other] = [await patientFor(subjects, tenant), await patientFor(subjects, tenant)]
    // An own program: without a consent of anybody it sees what the app's scopes leave.
    await ground.engine.db.asTenant(tenant, (tx) =>
      tx.client.query(
        `insert into tenant.consent_setting (holds_part2, own_services, changed_at) values (false, array[$1::uuid], 0)
         on conflict (tenant_id) do update set own_services = excluded.own_services`,
        ['018f0000-0000-7000-8000-000000000001'],
      ),
    )
    const make = async (patient: string, code: string) =>
      (await clinical.create(byTest(tenant), anObservation(patient, { category: category(code) }))).stored.id
    const [vital, lab, others] = [
      await make(mine, 'vital-signs'),
      await make(mine, 'laboratory'),
      await make(other, 'vital-signs'),
    ]
    const app = byApp(mine, 'patient/Observation.crus?category=vital-signs')
    expect((await clinical.read(app, 'Observation', vital)).id).toBe(vital)
    for (const id of [lab, others]) await expect(clinical.read(app, 'Observation', id)).rejects.toMatchObject(notThere)
    await expect(clinical.read(app, 'Patient', mine)).rejects.toMatchObject(refused)
    await expect(clinical.remove(app, 'Observation', vital)).rejects.toMatchObject(refused)
    const write = (patient: string, code: string) =>
      clinical.create(app, anObservation(patient, { category: category(code) }))
    expect((await write(mine, 'vital-signs')).isNew).toBe(true)
    await expect(write(mine, 'laboratory')).rejects.toMatchObject(refused)
    await expect(write(other, 'vital-signs')).rejects.toMatchObject(refused)
    // Nor is what it may not see taken over by its id, nor led out of what it may see.
    const put = (id: string, code: string) =>
      clinical.update(app, { ...anObservation(mine, { category: category(code) }), id } as FhirTree)
    await expect(put(lab, 'vital-signs')).rejects.toMatchObject(notThere)
    await expect(put(vital, 'laboratory')).rejects.toMatchObject(refused)
    const { items } = await clinical.history(app, { type: 'Observation', limit: 100 })
    expect(items.map(({ subject }) => subject)).toEqual(items.map(() => mine))
    expect(items.map(({ id }) => id)).not.toContain(lab)
  })

  test('widens nothing: who may not by their own scopes may not through an app', async () => {
    const patient = await patientFor(subjects, tenant)
    const { stored } = await clinical.create(byTest(tenant), anObservation(patient))
    const scopes = [parseScope('system/*.cruds') as SmartScope]
    const app = byProgram({ scopes: ['device:read'], app: { client: 'app-2', name: 'Wide', scopes } })
    await expect(clinical.read(app, 'Observation', stored.id)).rejects.toMatchObject(refused)
  })
})

test('what a patient did not consent to is not there for a program outside, and that it asked stands in the trail', async () => {
  const patient = await patientFor(subjects, tenant)
  const { stored } = await clinical.create(byTest(tenant), anObservation(patient))
  const seen = { teams: [], teamless: false, subjects: new Map([[patient, { why: new Set(['consent'] as const) }]]) }
  const outside = byProgram({ id: '018f0000-0000-7000-8000-000000000002', reach: seen })
  await expect(clinical.read(outside, 'Observation', stored.id)).rejects.toMatchObject(notThere)
  const { rows } = await ground.engine.db.pool.query(
    `select resource from tenant.audit_entry where action = 'denied' and subject_id = $1`,
    [patient],
  )
  expect(rows).toEqual([{ resource: 'observation' }])
})

test('with a trail that takes no entry nothing is shown and nothing is written', async () => {
  const patient = await patientFor(subjects, tenant)
  const { stored } = await clinical.create(byTest(tenant), anObservation(patient))
  const { pool } = ground.engine.db
  const count = async () => Number((await pool.query('select count(*) as n from tenant.clinical_resource')).rows[0].n)
  const before = await count()
  await pool.query('alter table tenant.audit_entry add constraint no_entry check (false) not valid')
  const by = byTest(tenant)
  const acts = [
    clinical.read(by, 'Observation', stored.id),
    clinical.vread(by, 'Observation', stored.id, 1),
    clinical.history(by, { type: 'Observation', limit: 5 }),
    clinical.create(by, anObservation(patient)),
    clinical.update(by, { ...anObservation(patient, { status: 'amended' }), id: stored.id } as FhirTree),
    clinical.patch(by, 'Observation', stored.id, (tree) => ({ ...tree, status: 'amended' })),
    clinical.remove(by, 'Observation', stored.id),
  ]
  const outcomes = await Promise.allSettled(acts)
  await pool.query('alter table tenant.audit_entry drop constraint no_entry')
  expect(outcomes.map(({ status }) => status)).toEqual(acts.map(() => 'rejected'))
  expect([await count(), (await clinical.read(by, 'Observation', stored.id)).version]).toEqual([before, 1])
})
