import type { AnyRole, NewConsent } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTrail } from '../../audit/index.ts'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import type { TenantTx } from '../../engine/index.ts'
import { settledFacts, type TestEngine, testEngine } from '../../engine/testing/index.ts'
import type { Principal } from '../../identity/index.ts'
import { type By, byConsole } from '../by.ts'
import { aFridge, aPatient } from '../fixtures.ts'
import { grantSight } from '../sight-grants.ts'
import { makeSubjects, type Subjects } from '../subjects.ts'
import type { Thing } from './shown.ts'

let ground: TestEngine
let clock: ManualClock
let subjects: Subjects
let by: By
let tenant: string
/** The clinic for substance use reads skin conductance and heart rate; hypertension reads heart rate too. */
const programs = [
  { code: 'recovery', part2: true, signals: new Set(['skin-conductance', 'heart-rate']) },
  { code: 'alcohol', part2: true, signals: new Set(['skin-conductance', 'body-temperature']) },
  { code: 'hypertension', part2: false, signals: new Set(['systolic', 'heart-rate']) },
]
beforeAll(async () => {
  clock = makeManualClock()
  ground = await testEngine({ clock })
  subjects = makeSubjects(ground.engine, async () => ['nora', 'carl'].map((id) => ({ id, endedAt: null })), null, {
    programs: async () => programs,
    grantees: async () =>
      new Map([
        ['daughter', { kind: 'caregiver' as const, name: 'Dora' }],
        ['lab', { kind: 'integration' as const, name: 'Lab Nine' }],
        ['ehr', { kind: 'integration' as const, name: 'Our EHR' }],
      ]),
  })
  tenant = await ground.tenant()
  by = byConsole(tenant)
})
afterAll(() => ground?.stop())

const inTx = <T>(fn: (tx: TenantTx) => Promise<T>): Promise<T> => ground.engine.db.asTenant(tenant, fn)
const patient = async () => (await subjects.create(by, aPatient())).id
const refused = (code: string, pointer: string) => expect.objectContaining({ code, pointer })

const aConsent = (over: Partial<NewConsent> = {}): NewConsent => ({
  ...{ decision: 'permit', grantee: { kind: 'caregiver', id: 'daughter' } },
  verification: { how: 'signed-paper', note: 'Folder 7, witnessed by Frau Zwiebelhuber' },
  ...over,
})
const record = (subject: string, over: Partial<NewConsent> = {}) =>
  subjects.consents.record(by, subject, aConsent(over))

const person = (id: string, ...roles: AnyRole[]): Principal => ({
  ...{ kind: 'staff', tenant, id, displayName: id, roles, session: 's' },
})
const service = (id: string): Principal => ({ kind: 'service', tenant, id, scopes: ['series:read'] })
const shown = async (who: Principal, subject: string, thing: Thing) => {
  const gate = await subjects.consents.gate({ ...by, who })
  const { because, obligations } = await inTx(async (tx) => (await gate.shown(tx, subject)).decide(thing))
  return [because, ...obligations].join(' ')
}
const heart: Thing = { signals: ['heart-rate'] }
const steps: Thing = { signals: ['steps'] }
const grants = (subject: string) =>
  inTx(async (tx) => {
    const { rows } = await tx.client.query<{ user_id: string; open: boolean; why: string }>(
      `select user_id, why, ended_at is null as open from tenant.sight_grant
        where tenant_id = $1 and subject_id = $2 order by id`,
      [tenant, subject],
    )
    return rows.map(({ user_id, why, open }) => `${user_id} ${why} ${open ? 'open' : 'ended'}`)
  })

describe('consent > is a FHIR Consent', () => {
  test('is recorded, shown in words and kept as R4, with its label and how it was verified', async () => {
    const subject = await patient()
    const now = clock.now()
    const made = await record(subject, { classes: ['vital-signs'], part2: true, until: now + 1000 })
    expect(made).toMatchObject({
      ...{ subject, version: 1, status: 'active', inForce: true, decision: 'permit', part2: true },
      ...{ grantee: { kind: 'caregiver', id: 'daughter', name: 'Dora' }, classes: ['vital-signs'], from: now },
      verification: { how: 'signed-paper', note: 'Folder 7, witnessed by Frau Zwiebelhuber' },
    })
    expect(await subjects.consents.list(by, subject)).toEqual([made])
    const [version] = await subjects.consents.history(by, { subject, consent: made.id })
    const period = { start: new Date(now).toISOString(), end: new Date(now + 1000).toISOString() }
    expect(version!.resource).toMatchObject({
      ...{ resourceType: 'Consent', status: 'active', patient: { reference: `Patient/${subject}` } },
      meta: { versionId: '1', security: [{ code: 'ETH' }, { code: 'SUD' }] },
      scope: { coding: [{ code: 'patient-privacy' }] },
      policyRule: { coding: [{ code: 'OPTOUT' }, { code: 'hipaa-auth' }] },
      policy: [{ uri: 'https://www.ecfr.gov/current/title-42/part-2' }],
      verification: [{ verified: true }],
      provision: {
        period,
        provision: [
          {
            ...{ type: 'permit', period, class: [{ system: 'urn:careloop:signal-class', code: 'vital-signs' }] },
            securityLabel: [
              { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'ETH' },
              { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'SUD' },
            ],
            actor: [{ reference: { type: 'RelatedPerson', identifier: { value: 'daughter' } } }],
          },
        ],
      },
    })
    // R4: `type` is not permitted in the root rule.
    expect(version!.resource.provision as object).not.toHaveProperty('type')
  })

  test('what is shared, the label and notes stand in no column in the clear', async () => {
    const subject = await patient()
    const { id } = await record(subject, { classes: ['behavioural'], part2: true })
    await subjects.consents.withdraw(by, { subject, consent: id }, { reason: 'Streit mit Zwiebelhuber' })
    const { rows } = await inTx((tx) =>
      tx.client.query<{ text: string }>(
        `select row_to_json(c)::text || row_to_json(v)::text || encode(v.body, 'escape') || coalesce(encode(v.reason, 'escape'), '') as text
           from tenant.consent c join tenant.consent_version v on v.tenant_id = c.tenant_id and v.consent_id = c.id
          where c.tenant_id = $1 and c.id = $2`,
        [tenant, id],
      ),
    )
    expect(rows).toHaveLength(2)
    for (const { text } of rows) expect(text).not.toMatch(/Zwiebel|SUD|ETH|behavioural|permit|Consent/)
  })

  test('every version is kept and opens as itself only', async () => {
    const subject = await patient()
    const { id } = await record(subject)
    await clock.advance(1000)
    const over = await subjects.consents.withdraw(by, { subject, consent: id }, { reason: 'moved away' })
    expect(over).toMatchObject({ status: 'inactive', version: 2, inForce: false, endedAt: clock.now() })
    expect(await subjects.consents.withdraw(by, { subject, consent: id }, {})).toEqual(over)
    const error = await subjects.consents.withdraw(by, { subject, consent: id }, { enteredInError: true })
    expect(error).toMatchObject({ status: 'entered-in-error', version: 3 })
    const history = await subjects.consents.history(by, { subject, consent: id })
    expect(history.map(({ version, reason, resource }) => [version, reason, resource.status])).toEqual([
      [1, undefined, 'active'],
      [2, 'moved away', 'inactive'],
      [3, undefined, 'entered-in-error'],
    ])
    await inTx((tx) =>
      tx.client.query(
        'insert into tenant.consent_version select tenant_id, consent_id, 4, at, actor, key_id, body, reason from tenant.consent_version where tenant_id = $1 and consent_id = $2 and version = 1',
        [tenant, id],
      ),
    )
    await expect(subjects.consents.history(by, { subject, consent: id })).rejects.toMatchObject({ code: 'seal-broken' })
  })

  test('each act is told and audited in its own transaction; the words of it are not', async () => {
    const subject = await patient()
    const { id } = await record(subject)
    await subjects.consents.withdraw(by, { subject, consent: id }, {})
    const told = (await settledFacts(ground.engine)).filter(
      (fact) => fact.type === 'ConsentChanged' && 'consent' in fact.body && fact.body.consent === id,
    )
    expect(told.map((fact) => fact.body)).toEqual([1, 2].map(() => ({ consent: id, subject, grantee: 'daughter' })))
    const trail = await inTx((tx) => readTrail(tx, { subject, limit: 100 }))
    expect(
      trail
        .filter((entry) => entry.resource === 'consent')
        .map((entry) => entry.action)
        .sort(),
    ).toEqual(['create', 'revoke'])
  })

  test('refuses what nobody can mean, each at its field', async () => {
    const subject = await patient()
    const now = clock.now()
    const wrong = (over: Partial<NewConsent>) => expect(record(subject, over)).rejects
    await wrong({ grantee: { kind: 'caregiver', id: 'stranger' } }).toEqual(
      refused('consent-grantee-unknown', '/body/grantee/id'),
    )
    await wrong({ grantee: { kind: 'caregiver', id: 'lab' } }).toEqual(
      refused('consent-grantee-unknown', '/body/grantee/id'),
    )
    await wrong({ grantee: { kind: 'caregiver' } }).toEqual(refused('consent-grantee-unknown', '/body/grantee/id'))
    await wrong({ grantee: { kind: 'treatment', id: 'lab' } }).toEqual(
      refused('consent-grantee-unknown', '/body/grantee/id'),
    )
    await wrong({ until: now }).toEqual(refused('consent-span-wrong', '/body/until'))
    await wrong({ decision: 'deny', from: now + 1 }).toEqual(refused('consent-span-wrong', '/body/from'))
    const fridge = (await subjects.create(by, aFridge())).id
    await expect(record(fridge)).rejects.toEqual(refused('consent-not-of-patient', '/params/id'))
    const nobody = ground.engine.ids.uuid()
    await expect(record(nobody)).rejects.toEqual(refused('subject-not-found', '/params/id'))
    const other = await record(await patient())
    await expect(subjects.consents.withdraw(by, { subject, consent: other.id }, {})).rejects.toEqual(
      refused('consent-not-found', '/params/consent'),
    )
    expect(await subjects.consents.list(by, subject)).toEqual([])
  })
})

describe('consent > lets see', () => {
  const daughter = () => person('daughter', 'caregiver')

  test('a caregiver what was permitted, until it is withdrawn, and the patient themselves for ever', async () => {
    const subject = await patient()
    expect(await shown(daughter(), subject, heart)).toBe('no-consent')
    const { id } = await record(subject, { classes: ['vital-signs'] })
    expect(await shown(daughter(), subject, heart)).toBe('consent')
    expect(await shown(daughter(), subject, steps)).toBe('no-consent')
    expect(await shown(daughter(), subject, { signals: ['heart-rate', 'steps'] })).toBe('no-consent')
    expect(await grants(subject)).toEqual(['daughter consent open'])
    await subjects.consents.withdraw(by, { subject, consent: id }, {})
    expect(await shown(daughter(), subject, heart)).toBe('no-consent')
    expect(await grants(subject)).toEqual(['daughter consent ended'])
    const self = person('self', 'patient')
    expect(await shown(self, subject, heart)).toBe('no-consent')
    await inTx((tx) =>
      grantSight(tx, {
        ...{ id: ground.engine.ids.uuid(), subject, user: 'self', why: 'self', source: 'account' },
        ...{ from: clock.now(), actor: 'cli' },
      }),
    )
    expect(await shown(self, subject, heart)).toBe('treatment')
  })

  test('a refusal of everything takes a person away, also where something was permitted; withdrawn, it gives back', async () => {
    const subject = await patient()
    await record(subject)
    const no = await record(subject, { decision: 'deny' })
    expect(await grants(subject)).toEqual(['daughter consent ended'])
    expect(await shown(daughter(), subject, heart)).toBe('consent-denies')
    await subjects.consents.withdraw(by, { subject, consent: no.id }, {})
    expect(await grants(subject)).toEqual(['daughter consent ended', 'daughter consent open'])
    expect(await shown(daughter(), subject, heart)).toBe('consent')
  })

  test('a program outside what was permitted to it, one of our own what care needs', async () => {
    const subject = await patient()
    await subjects.consents.changeSettings(by, { holdsPart2: false, ownServices: [] })
    expect(await shown(service('lab'), subject, heart)).toBe('no-consent')
    await record(subject, { grantee: { kind: 'integration', id: 'lab' } })
    expect(await shown(service('lab'), subject, heart)).toBe('consent')
    const ours = ground.engine.ids.uuid()
    expect(await shown(service(ours), subject, heart)).toBe('no-consent')
    await subjects.consents.changeSettings(by, { holdsPart2: false, ownServices: [ours] })
    expect(await shown(service(ours), subject, heart)).toBe('own-service')
    expect(await shown(person('nora', 'nurse'), subject, heart)).toBe('treatment')
    expect(await shown({ kind: 'device', tenant, id: 'd', device: {} as never }, subject, heart)).toBe('no-consent')
  })

  test('nobody anything of who was erased: without a record nothing is permitted', async () => {
    const subject = await patient()
    await record(subject)
    await inTx(async (tx) => {
      const { rows } = await tx.client.query<{ key_id: string }>(
        'select key_id from tenant.subject where tenant_id = $1 and id = $2',
        [tenant, subject],
      )
      await ground.engine.keys.destroy(tx, rows[0]!.key_id)
    })
    expect(await shown(daughter(), subject, heart)).toBe('no-consent')
  })
})

describe('consent > 42 CFR Part 2', () => {
  const nora = () => person('nora', 'nurse')
  const carl = () => person('carl', 'nurse')
  const craving: Thing = { signals: ['skin-conductance'] }

  test('what a labelled program measures and infers is for its team, unless a consent names it', async () => {
    await subjects.consents.changeSettings(by, { holdsPart2: true, ownServices: [] })
    const subject = await patient()
    await subjects.enrol(by, subject, { program: 'recovery', owner: 'carl' })
    for (const thing of [craving, heart, { program: 'recovery', signals: ['steps'] }]) {
      expect(await shown(carl(), subject, thing)).toBe('program-team')
      expect(await shown(nora(), subject, thing)).toBe('part2-program-team-only')
    }
    expect(await shown(nora(), subject, steps)).toBe('treatment')
    // Blood pressure and heart rate are also of the clinic for hypertension: no secret of the other.
    await subjects.enrol(by, subject, { program: 'hypertension', owner: 'nora' })
    expect(await shown(nora(), subject, heart)).toBe('treatment')
    expect(await shown(nora(), subject, { program: 'recovery', ...heart })).toBe('part2-program-team-only')
    await record(subject, { grantee: { kind: 'treatment' } })
    expect(await shown(nora(), subject, craving)).toBe('part2-consent-needed')
    await record(subject, { grantee: { kind: 'treatment' }, part2: true })
    expect(await shown(nora(), subject, craving)).toBe('consent redisclosure-notice')
  })

  test('a caregiver gets it by a consent that names it only, whatever the organisation says of itself', async () => {
    await subjects.consents.changeSettings(by, { holdsPart2: false, ownServices: [] })
    const subject = await patient()
    await subjects.enrol(by, subject, { program: 'recovery', owner: 'carl' })
    const daughter = person('daughter', 'caregiver')
    const { id } = await record(subject)
    expect(await shown(daughter, subject, steps)).toBe('consent')
    expect(await shown(daughter, subject, craving)).toBe('part2-consent-needed')
    await subjects.consents.withdraw(by, { subject, consent: id }, {})
    await record(subject, { part2: true })
    expect(await shown(daughter, subject, craving)).toBe('consent redisclosure-notice')
  })

  test('emergency access and an open task open it, and no longer than they last', async () => {
    await subjects.consents.changeSettings(by, { holdsPart2: true, ownServices: [] })
    const subject = await patient()
    const enrolment = await subjects.enrol(by, subject, { program: 'recovery', owner: 'carl' })
    const grant = (why: 'task' | 'break-glass', until: number) =>
      inTx((tx) =>
        grantSight(tx, {
          ...{ id: ground.engine.ids.uuid(), subject, user: 'nora', why, source: why, actor: 'cli' },
          ...{ from: clock.now(), until, ...(why === 'task' ? { enrolment: enrolment.id } : {}) },
        }),
      )
    await grant('break-glass', clock.now() + 1000)
    expect(await shown(nora(), subject, craving)).toBe('emergency redisclosure-notice')
    await clock.advance(1000)
    expect(await shown(nora(), subject, craving)).toBe('part2-program-team-only')
    await grant('task', clock.now() + 1000)
    expect(await shown(nora(), subject, craving)).toBe('program-team')
    await clock.advance(1000)
    await subjects.endEnrolment(by, enrolment.id, null)
    // The program is over; what it measured keeps its label.
    expect(await shown(nora(), subject, craving)).toBe('part2-program-team-only')
  })

  test('a task or an enrolment of one program opens that program, and no other of the same patient', async () => {
    await subjects.consents.changeSettings(by, { holdsPart2: true, ownServices: [] })
    const subject = await patient()
    const recovery = await subjects.enrol(by, subject, { program: 'recovery', owner: 'carl' })
    const open = await subjects.enrol(by, subject, { program: 'hypertension', owner: 'nora' })
    const warm: Thing = { signals: ['body-temperature'] }
    const grant = (source: string, enrolment?: string) =>
      inTx((tx) =>
        grantSight(tx, {
          ...{ id: ground.engine.ids.uuid(), subject, user: 'nora', why: 'task', source, actor: 'cli' },
          ...{ from: clock.now(), ...(enrolment === undefined ? {} : { enrolment }) },
        }),
      )
    // A task of a program without a label, and sight that names no program.
    await grant('task of hypertension', open.id)
    await grant('claimed')
    expect(await shown(nora(), subject, craving)).toBe('part2-program-team-only')
    await grant('task of recovery', recovery.id)
    expect(await shown(nora(), subject, { program: 'recovery', ...heart })).toBe('program-team')
    await subjects.enrol(by, subject, { program: 'alcohol', owner: 'carl' })
    // What both measure is of both; what one of them found is of that one.
    expect(await shown(nora(), subject, craving)).toBe('program-team')
    expect(await shown(nora(), subject, warm)).toBe('part2-program-team-only')
    expect(await shown(nora(), subject, { program: 'alcohol', ...craving })).toBe('part2-program-team-only')
    expect(await shown(nora(), subject, { class: 'person', program: 'alcohol' })).toBe('part2-program-team-only')
    const gate = await subjects.consents.gate({ ...by, who: nora() })
    expect(await inTx(async (tx) => (await gate.shown(tx, subject)).everything)).toBe(false)
    // Told of it again by somebody who names no program, it stays what it was.
    await grant('task of recovery')
    expect(await shown(nora(), subject, { program: 'recovery' })).toBe('program-team')
  })
})

describe('consent > before anything leaves', () => {
  const lab = { kind: 'integration', id: 'lab', own: false } as const

  test('it is asked; a refusal is audited and answers as if nobody were there', async () => {
    const subject = await patient()
    const sharing = { subject, recipient: lab, what: heart, purpose: 'TREAT' } as const
    expect(await subjects.consents.mayShare(tenant, sharing)).toMatchObject({ decision: 'deny' })
    await expect(subjects.consents.assertMayShare(by, sharing)).rejects.toMatchObject({ code: 'disclosure-refused' })
    const trail = await inTx((tx) => readTrail(tx, { subject, limit: 100 }))
    expect(trail.filter(({ action }) => action === 'denied')).toHaveLength(1)
    await record(subject, { grantee: { kind: 'integration', id: 'lab' } })
    expect(await subjects.consents.assertMayShare(by, sharing)).toMatchObject({
      decision: 'permit',
      because: 'consent',
    })
  })

  test('a court gets it by the id of its order, with the notice where Part 2 asks for it', async () => {
    const subject = await patient()
    await subjects.enrol(by, subject, { program: 'recovery', owner: 'carl' })
    await record(subject, { grantee: { kind: 'integration', id: 'lab' }, purposes: ['HLEGAL'], part2: true })
    const sharing = { subject, recipient: lab, what: { signals: ['skin-conductance'] }, purpose: 'HLEGAL' } as const
    expect(await subjects.consents.mayShare(tenant, sharing)).toMatchObject({ because: 'court-order-needed' })
    expect(await subjects.consents.mayShare(tenant, { ...sharing, courtOrder: '4:26-cv-00117' })).toEqual({
      ...{ decision: 'permit', because: 'court-order', obligations: ['redisclosure-notice'] },
    })
    expect(subjects.consents.notice).toContain('42 CFR part 2')
  })

  test('what went out stands in the accounting, sealed, with an audit entry that says export', async () => {
    const subject = await patient()
    const what = { description: 'Readings: heart-rate', labels: ['SUD'], noticed: true } as const
    const id = await inTx((tx) =>
      subjects.consents.disclose(
        tx,
        { actor: 'service:lab', requestId: 'r1' },
        {
          ...{ subject, recipient: { kind: 'integration', id: 'lab', name: 'Labor Zwiebelhuber' } },
          ...{ purpose: 'TREAT', consent: null, what },
        },
      ),
    )
    const found = await inTx((tx) => subjects.consents.disclosures(tx, subject, { from: 0, to: clock.now() }))
    expect(found).toEqual([
      expect.objectContaining({
        ...{ id, subject, purpose: 'TREAT', actor: 'service:lab' },
        recipient: { kind: 'integration', id: 'lab', name: 'Labor Zwiebelhuber' },
        what: expect.objectContaining(what),
      }),
    ])
    const trail = await inTx((tx) => readTrail(tx, { subject, limit: 100 }))
    expect(trail.filter(({ action }) => action === 'export')).toMatchObject([
      { resource: 'disclosure', resourceId: id, purpose: 'TREAT', requestId: 'r1' },
    ])
    const { rows } = await inTx((tx) =>
      tx.client.query<{ text: string }>(
        `select row_to_json(d)::text || encode(what, 'escape') as text from tenant.disclosure d where tenant_id = $1 and id = $2`,
        [tenant, id],
      ),
    )
    expect(rows[0]!.text).not.toMatch(/Zwiebel|SUD|heart-rate/)
  })
})
