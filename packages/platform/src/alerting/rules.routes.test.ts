/** Rules, programs and limits of one subject behind the real shell: who may change what, what is refused and where. */
import { fileURLToPath } from 'node:url'
import type { OverrideBody, ProgramList, ProgramRule, SubjectAlerts, SubjectRules } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { aFridge, aPatient, byTest } from '../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../subjects/index.ts'
import { type Alerting, makeAlerting, readPrograms } from './index.ts'
import { alertingRoutes } from './routes.ts'
import { atOnce } from './testing/at-once.ts'
import { evaluateAll } from './testing/evaluate-all.ts'
import { checkReach } from './upkeep.ts'

const year = 365 * 86_400_000
let shell: TestShell
let subjects: Subjects
let alerting: Alerting
let nurse: Signed
let physician: Signed
let administrator: Signed
let facilities: Signed
let patient: string
let fridge: string

beforeAll(async () => {
  const folder = fileURLToPath(new URL('../../../../programs', import.meta.url))
  const shipped = (await readPrograms(folder)).map(atOnce)
  shell = await testShell({
    routes(identity, engine) {
      const members = (tenant: string) => identity.members(tenant)
      subjects = makeSubjects(engine, members)
      alerting = makeAlerting(engine, subjects, members, shipped)
      return alertingRoutes(alerting)
    },
  })
  nurse = await shell.signIn(['nurse'])
  administrator = await shell.signIn(['administrator'])
  facilities = await shell.signIn(['facilities'])
  const by = byTest(shell.tenant)
  patient = (await subjects.create(by, aPatient())).id
  fridge = (await subjects.create(by, aFridge())).id
})
afterAll(() => shell.close())

const proofs = new Map<string, { readonly signed: Signed; readonly at: number }>()

/** Who changes rules proves a second factor within five minutes before it (api/step-up.test.ts is about that). */
async function proved(who: Signed): Promise<Signed> {
  if (who !== physician && who !== administrator) return who
  const before = proofs.get(who.id)
  const now = shell.clock.now()
  if (before !== undefined && now - before.at < 240_000) return before.signed
  const signed = await shell.prove(before?.signed ?? who)
  proofs.set(who.id, { signed, at: now })
  return signed
}

async function ask(who: Signed, method: 'GET' | 'POST' | 'PUT', url: string, payload?: object) {
  const { cookie } = await proved(who)
  return shell.server.inject({
    ...{ method, url: `/api/v1${url}`, headers: { cookie, 'sec-fetch-site': 'same-origin' } },
    ...(payload === undefined ? {} : { payload }),
  })
}
type Answer = Awaited<ReturnType<typeof ask>>
const refusal = (answer: Answer) => {
  const [issue] = answer.json().issue
  return [answer.statusCode, issue.details.coding[0].code, issue.expression?.[0]]
}
const programs = async (who = administrator) => (await ask(who, 'GET', '/programs')).json<ProgramList>().programs
const ruleOf = async (code: string): Promise<ProgramRule> =>
  (await programs()).flatMap(({ rules }) => rules).find((rule) => rule.code === code)!
const severe = '/programs/hypertension-rpm/rules/severe-hypertension'
const notice = { noticeSeen: true }

async function measure(subject: string, values: Record<string, number>): Promise<void> {
  await shell.clock.advance(60_000)
  const now = shell.clock.now()
  const frame = { format: 'json', bytes: Buffer.from('{}') } as const
  const readings = Object.entries(values).map(([signal, value]) => ({ signal, value, measuredAt: now, ordinal: 0 }))
  const who = { tenant: shell.tenant, device: subject, assignment: subject, subject, door: 'mqtt' } as const
  await shell.engine.log.append([{ kind: 'readings', ...who, receivedAt: now, origin: 'automatic', frame, readings }])
  await evaluateAll(shell.engine, subjects)
}
const alertsOf = async (who: Signed, subject: string, span = '') =>
  (await ask(who, 'GET', `/subjects/${subject}/alerts${span}`)).json<SubjectAlerts>().items

test('programs > what comes with Careloop is shown before it is activated, with whom its roles would reach', async () => {
  const shown = await programs()
  expect(shown.map(({ code, state, enrolled }) => [code, state, enrolled])).toEqual([
    ['gateway', 'available', 0],
    ['hypertension-rpm', 'available', 0],
    ['vaccine-fridge', 'available', 0],
  ])
  expect(await ruleOf('severe-hypertension')).toMatchObject({
    ...{ state: 'inactive', kind: 'threshold', reach: { owner: 1, backup: 0 } },
    problem: 'Nobody who works here has the role physician (backup): its alerts would reach nobody.',
  })
})

test('programs > a program is not activated while a rule of it would reach nobody, nor without its notice seen', async () => {
  const unseen = await ask(administrator, 'POST', '/programs/hypertension-rpm/activate', {})
  expect(unseen.statusCode).toBe(400)
  const refused = await ask(administrator, 'POST', '/programs/hypertension-rpm/activate', notice)
  expect(refusal(refused)).toEqual([422, 'owner-unreachable', '/rules/0/backup'])
  physician = await shell.signIn(['physician'])
  const activated = await ask(administrator, 'POST', '/programs/hypertension-rpm/activate', notice)
  expect([activated.statusCode, activated.json().state]).toEqual([200, 'active'])
  expect(refusal(await ask(administrator, 'POST', '/programs/no-such/activate', notice))).toEqual([
    ...[404, 'program-not-found', '/params/code'],
  ])
  const notHers = await ask(physician, 'POST', '/programs/vaccine-fridge/activate', notice)
  expect(refusal(notHers)).toEqual([403, 'program-not-yours', '/params/code'])
  expect((await ask(nurse, 'POST', '/programs/hypertension-rpm/activate', notice)).statusCode).toBe(403)
})

test('rules > an edit makes a new version that stands for the next reading, and its alert says the new limit', async () => {
  await subjects.enrol(byTest(shell.tenant), patient, { program: 'hypertension-rpm', owner: nurse.id })
  const limits = [{ part: 'when', index: 0, limit: 23, unit: 'kPa' }]
  const edit = { version: 1, limits, reason: 'Our protocol of this spring.' }
  expect((await ask(nurse, 'PUT', severe, edit)).statusCode).toBe(403)
  const edited = await ask(physician, 'PUT', severe, edit)
  expect([edited.statusCode, edited.json<ProgramRule>().version]).toEqual([200, 2])
  const { thresholds, edited: note } = edited.json<ProgramRule>()
  expect(thresholds.map(({ limit, part, index }) => [Math.round(limit), part, index])).toEqual([
    [173, 'when', 0],
    [120, 'when', 1],
  ])
  expect(note).toMatchObject({
    reason: edit.reason,
    fileSays: expect.stringContaining('180'),
    by: { id: physician.id },
  })
  await measure(patient, { systolic: 175, diastolic: 80 })
  const [alert] = await alertsOf(nurse, patient)
  expect(alert!.sentence).toMatch(
    /^Blood pressure severely high: 175\/80 mmHg since .*\. Limit: Systolic blood pressure at or above 173 mmHg/,
  )
  expect(alert).toMatchObject({
    ruleCode: 'severe-hypertension',
    condition: 'active',
    signals: ['systolic', 'diastolic'],
  })
})

test('rules > an open alert goes on under a changed rule: it is neither doubled nor lost, and clears by the new limit', async () => {
  const before = await alertsOf(nurse, patient)
  const limits = [{ part: 'when', index: 0, limit: 160, unit: 'mm[Hg]' }]
  expect((await ask(physician, 'PUT', severe, { version: 2, limits, reason: 'Lower still.' })).statusCode).toBe(200)
  await measure(patient, { systolic: 165, diastolic: 80 })
  expect((await alertsOf(nurse, patient)).map(({ id, condition }) => [id, condition])).toEqual([
    [before[0]!.id, 'active'],
  ])
  await measure(patient, { systolic: 120, diastolic: 80 })
  expect((await alertsOf(nurse, patient)).map(({ id, condition }) => [id, condition])).toEqual([
    [before[0]!.id, 'cleared'],
  ])
})

test.each([
  [{ version: 1, reason: 'Stale page.', limitMs: 60_000 }, [409, 'rule-moved', '/body/version']],
  [{ version: 3, reason: 'Nothing at all.' }, [422, 'edit-empty', '/body']],
  [
    { version: 3, reason: 'Wrong unit.', limits: [{ part: 'when', index: 0, limit: 20, unit: 'Cel' }] },
    [422, 'limit-invalid', '/body/limits/0/unit'],
  ],
  [
    { version: 3, reason: 'No such limit.', limits: [{ part: 'when', index: 7, limit: 20, unit: 'mm[Hg]' }] },
    [422, 'limit-invalid', '/body/limits/0/index'],
  ],
  [
    { version: 3, reason: 'Never met.', limits: [{ part: 'when', index: 0, limit: 900, unit: 'mm[Hg]' }] },
    [422, 'limit-invalid', '/body/limits/0/limit'],
  ],
  [{ version: 3, reason: 'One role.', backupRole: 'nurse' }, [422, 'owner-unreachable', '/body/backupRole']],
  [{ version: 3, reason: 'Nobody there.', ownerRole: 'biomed' }, [422, 'owner-unreachable', '/body/ownerRole']],
  // Somebody is there, and may open no task of a patient.
  [{ version: 3, reason: 'No rights.', backupRole: 'facilities' }, [422, 'owner-unreachable', '/body/backupRole']],
])('rules > an edit that cannot stand is refused where it is wrong: %j', async (edit, expected) => {
  expect(refusal(await ask(physician, 'PUT', severe, edit))).toEqual(expected)
})

test('rules > activating the program again leaves what was edited and what was switched off, and says so', async () => {
  const sustained = '/programs/hypertension-rpm/rules/sustained-elevation'
  expect((await ask(physician, 'POST', `${sustained}/deactivate`, {})).statusCode).toBe(400)
  const off = await ask(physician, 'POST', `${sustained}/deactivate`, { reason: 'Too many of them.' })
  expect(off.json<ProgramRule>()).toMatchObject({ state: 'inactive', switchedOff: { reason: 'Too many of them.' } })
  await ask(administrator, 'POST', '/programs/hypertension-rpm/activate', notice)
  expect(await ruleOf('severe-hypertension')).toMatchObject({
    version: 3,
    state: 'active',
    edited: { reason: 'Lower still.' },
  })
  expect(await ruleOf('sustained-elevation')).toMatchObject({ state: 'inactive' })
  const on = await ask(physician, 'POST', `${sustained}/activate`)
  expect(on.json<ProgramRule>()).toMatchObject({ state: 'active' })
  expect(on.json<ProgramRule>()).not.toHaveProperty('switchedOff')
  const taken = await ask(physician, 'POST', `${severe}/take-file`, { version: 3, reason: 'Back to the guideline.' })
  expect(taken.json<ProgramRule>()).toMatchObject({ version: 4, state: 'active', thresholds: [{ limit: 180 }, {}] })
  expect(taken.json<ProgramRule>()).not.toHaveProperty('edited')
  expect(refusal(await ask(physician, 'POST', `${severe}/take-file`, { version: 4, reason: 'Once more.' }))).toEqual([
    ...[409, 'rule-unedited', '/params/rule'],
  ])
})

let override: OverrideBody

test('overrides > a limit of one patient stands for the patient alone, and the alert says who set it, until when and why', async () => {
  const rule = (await ruleOf('severe-hypertension')).id
  const limits = [{ part: 'when', index: 0, limit: 150, unit: 'mm[Hg]' }]
  const expiresAt = shell.clock.now() + 30 * 86_400_000
  const wanted = { rule, limits, reason: 'Aneurysm: told of 150 already.', expiresAt }
  const made = await ask(nurse, 'POST', `/subjects/${patient}/overrides`, wanted)
  expect(made.statusCode).toBe(201)
  override = made.json<OverrideBody>()
  expect(override).toMatchObject({ ...wanted, subject: patient, author: { id: nurse.id } })
  const standing = (await ask(nurse, 'GET', `/subjects/${patient}/rules`)).json<SubjectRules>().rules
  const own = standing.find((each) => each.rule.id === rule)!
  expect(own.override).toEqual(override)
  expect(own.thresholds.map(({ limit }) => limit)).toEqual([150, 120])
  await measure(patient, { systolic: 155, diastolic: 80 })
  const alert = (await alertsOf(nurse, patient)).find(({ condition }) => condition === 'active')!
  const explained = await alerting.explain(byTest(shell.tenant), alert.id)
  expect(explained.override).toEqual(override)
  expect([explained.kind, explained.spans]).toEqual(['threshold', alert.spans])
  expect(alert.spans.at(-1)).toEqual({ from: expect.any(Number), to: null })
  expect(explained.thresholds.map(({ limit }) => limit)).toEqual([150, 120])
  expect(explained.alert.sentence).toContain('Own limit: Systolic blood pressure at or above 150 mmHg')
  const other = (await subjects.create(byTest(shell.tenant), aPatient())).id
  await subjects.enrol(byTest(shell.tenant), other, { program: 'hypertension-rpm', owner: nurse.id })
  await measure(other, { systolic: 155, diastolic: 80 })
  expect(await alertsOf(nurse, other)).toEqual([])
})

test('overrides > nothing of the reason or of the limits stands in plaintext', async () => {
  const rows = await shell.engine.db.asTenant(shell.tenant, async (tx) => {
    const { rows } = await tx.client.query<{ row: string }>('select o::text as row from tenant.rule_override o')
    return rows
  })
  expect(rows).toHaveLength(1)
  // Words, and not digits alone: three of them stand in any ciphertext that is shown in hexadecimal now and then.
  for (const secret of ['Aneurysm', '"limit":150'])
    for (const shown of [secret, Buffer.from(secret).toString('hex')]) expect(rows[0]!.row).not.toContain(shown)
})

test('overrides > what expires ends by itself, and the program limit stands again', async () => {
  await measure(patient, { systolic: 120, diastolic: 80 })
  const soon = { ...override, expiresAt: shell.clock.now() + 60_000 }
  const { rule, limits, reason, expiresAt } = soon
  const next = await ask(physician, 'POST', `/subjects/${patient}/overrides`, { rule, limits, reason, expiresAt })
  const { items } = (await ask(nurse, 'GET', `/subjects/${patient}/overrides`)).json<{ items: OverrideBody[] }>()
  // A new one takes the place of the one that stood.
  expect(items.map(({ id, endedAt }) => [id, endedAt !== undefined])).toEqual([
    [next.json<OverrideBody>().id, false],
    [override.id, true],
  ])
  await shell.clock.advance(61_000)
  const { endExpired } = await import('./overrides.ts')
  expect(await endExpired(shell.engine, shell.tenant)).toBe(1)
  expect(await endExpired(shell.engine, shell.tenant)).toBe(0)
  await measure(patient, { systolic: 155, diastolic: 80 })
  expect((await alertsOf(nurse, patient)).filter(({ condition }) => condition === 'active')).toEqual([])
})

test('overrides > one that cannot stand is refused where it is wrong; ending one twice changes nothing', async () => {
  const { rule, reason } = override
  const now = shell.clock.now()
  const limits = [{ part: 'when', index: 0, limit: 160, unit: 'mm[Hg]' }]
  const post = (who: Signed, subject: string, over: object) =>
    ask(who, 'POST', `/subjects/${subject}/overrides`, { rule, limits, reason, expiresAt: now + 60_000, ...over })
  expect(refusal(await post(nurse, patient, { expiresAt: now - 1 }))).toEqual([
    422,
    'override-expiry',
    '/body/expiresAt',
  ])
  expect(refusal(await post(nurse, patient, { expiresAt: now + year + 1 }))[2]).toBe('/body/expiresAt')
  const beyond = [{ part: 'when', index: 0, limit: 999, unit: 'mm[Hg]' }]
  expect(refusal(await post(nurse, patient, { limits: beyond }))).toEqual([
    422,
    'limit-invalid',
    '/body/limits/0/limit',
  ])
  expect((await post(nurse, patient, { reason: ' ' })).statusCode).toBe(400)
  expect(refusal(await post(nurse, fridge, {}))).toEqual([404, 'subject-not-found', '/params/id'])
  expect((await post(facilities, patient, {})).statusCode).toBe(403)
  const unknown = { rule: shell.engine.ids.uuid() }
  expect(refusal(await post(nurse, patient, unknown))).toEqual([404, 'rule-not-found', '/body/rule'])
  const made = (await post(nurse, patient, {})).json<OverrideBody>()
  const end = () => ask(nurse, 'POST', `/subjects/${patient}/overrides/${made.id}/end`)
  const ended = (await end()).json<OverrideBody>()
  expect(ended.endedAt).toBe(shell.clock.now())
  await shell.clock.advance(1_000)
  expect((await end()).json<OverrideBody>()).toEqual(ended)
  expect(refusal(await ask(nurse, 'POST', `/subjects/${patient}/overrides/${rule}/end`))).toEqual([
    ...[404, 'override-not-found', '/params/override'],
  ])
})

test('subjects > alerts are those that stood in the span, and only for whoever may know of the subject', async () => {
  const all = await alertsOf(nurse, patient)
  expect(all.length).toBeGreaterThan(0)
  const first = all.at(-1)!
  const spans = await alertsOf(nurse, patient, `?from=${first.raisedAt}&to=${first.raisedAt + 1}`)
  expect(spans.map(({ id }) => id)).toEqual([first.id])
  expect(await alertsOf(nurse, patient, `?from=${shell.clock.now() + 1}`)).toEqual(
    all.filter(({ condition }) => condition === 'active'),
  )
  expect(refusal(await ask(facilities, 'GET', `/subjects/${patient}/alerts`))[1]).toBe('subject-not-found')
})

test('rules > a rule whose owners all left is told once, counted and shown; so is an enrolment whose owner left', async () => {
  const { engine, identity, tenant } = shell
  const members = (of: string) => identity.members(of)
  await checkReach(engine, { members, subjects })
  await identity.endMembership(tenant, nurse.id)
  for (let again = 0; again < 2; again++) await checkReach(engine, { members, subjects })
  const { rows } = await engine.db.pool.query<{ body: { role: string } }>(
    `select body from engine.fact where type = 'RuleUnreachable' and tenant_id = $1`,
    [tenant],
  )
  const active = (await programs()).flatMap(({ rules }) => rules).filter(({ state }) => state === 'active')
  expect(rows.map(({ body }) => body.role)).toEqual(active.map(() => 'nurse'))
  const metrics = await engine.watch.metrics.metrics()
  expect(metrics).toContain(`careloop_alerting_unreachable_rules ${active.length}`)
  expect(metrics).toContain('careloop_alerting_ownerless_enrolments 2')
  const of = async (who: Signed) => (await programs(who)).find(({ code }) => code === 'hypertension-rpm')!
  const program = await of(physician)
  expect(program).toMatchObject({ problem: expect.stringContaining('2 open enrolments have'), enrolled: 2 })
  expect(program.ownerless).toHaveLength(2)
  // Whoever configures reads no chart: how many there are, and not whose they are.
  const configured = await of(administrator)
  expect([configured.problem !== undefined, configured.ownerless]).toEqual([true, undefined])
  expect(program.rules[0]).toMatchObject({
    reach: { owner: 0, backup: 1 },
    problem: expect.stringContaining('nurse (owner)'),
  })
})
