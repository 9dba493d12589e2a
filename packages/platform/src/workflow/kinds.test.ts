/** Who sees of whom: per role and kind of subject, on each route that shows or changes something of a subject. */
import { fileURLToPath } from 'node:url'
import type { Role, SubjectKind, Worklist } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeAlerting, readPrograms } from '../alerting/index.ts'
import { alertingRoutes } from '../alerting/routes.ts'
import { atOnce } from '../alerting/testing/at-once.ts'
import { evaluateAll } from '../alerting/testing/evaluate-all.ts'
import { everyRole } from '../alerting/testing/staff.ts'
import { type TestShell, testShell } from '../api/testing/test-shell.ts'
import { aFridge, aPatient, byTest } from '../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../subjects/index.ts'
import { subjectsRoutes } from '../subjects/routes.ts'
import { telemetryRoutes } from '../telemetry/routes.ts'
import { workflowRoutes } from './routes.ts'
import { takeAllFacts } from './testing/take-all-facts.ts'
import type { Ways } from './ways.ts'
import { makeWorkflow } from './workflow.ts'

type Kind = Extract<SubjectKind, 'patient' | 'asset'>
let shell: TestShell
const of: Record<Kind, { subject: string; task: string; alert: string }> = {
  patient: { subject: '', task: '', alert: '' },
  asset: { subject: '', task: '', alert: '' },
}

beforeAll(async () => {
  let subjects!: Subjects
  let ways!: Ways
  shell = await testShell({
    routes(identity, engine) {
      const staff = (tenant: string) => identity.members(tenant)
      subjects = makeSubjects(engine, staff)
      ways = { staff, email: false }
      return [
        ...subjectsRoutes(subjects),
        ...telemetryRoutes(engine, subjects),
        ...alertingRoutes(makeAlerting(engine, subjects, staff)),
        ...workflowRoutes(makeWorkflow(engine, subjects, staff)),
      ]
    },
  })
  const owner = await shell.signIn(['nurse'])
  const { engine, tenant, clock } = shell
  const by = byTest(tenant)
  const alerting = makeAlerting(engine, subjects, everyRole)
  const folder = fileURLToPath(new URL('../../../../programs', import.meta.url))
  for (const program of await readPrograms(folder)) await alerting.activate(by, atOnce(program))
  of.patient.subject = (await subjects.create(by, aPatient())).id
  of.asset.subject = (await subjects.create(by, aFridge())).id
  await subjects.enrol(by, of.patient.subject, { program: 'hypertension-rpm', owner: owner.id })
  await subjects.enrol(by, of.asset.subject, { program: 'vaccine-fridge', owner: owner.id })
  await clock.advance(1)
  const frame = { format: 'json', bytes: Buffer.from('{}') } as const
  for (let i = 0; i < 30; i++) {
    await clock.advance(60_000)
    const now = clock.now()
    const values = { [of.patient.subject]: ['systolic', 190], [of.asset.subject]: ['temperature-probe', 20] } as const
    for (const [subject, [signal, value]] of Object.entries(values)) {
      const who = { tenant, device: subject, assignment: subject, subject, door: 'mqtt', receivedAt: now } as const
      const readings = [{ signal, value, measuredAt: now, ordinal: 0 }]
      await engine.log.append([{ kind: 'readings', ...who, origin: 'automatic', frame, readings }])
    }
  }
  await evaluateAll(engine, subjects)
  await takeAllFacts(engine, subjects, ways)
  const { rows } = await engine.db.asTenant(tenant, (tx) =>
    tx.client.query<{ id: string; alert_id: string; subject_id: string }>('select * from tenant.task'),
  )
  for (const kind of ['patient', 'asset'] as const) {
    const row = rows.find((each) => each.subject_id === of[kind].subject)!
    of[kind] = { ...of[kind], task: row.id, alert: row.alert_id }
  }
})
afterAll(() => shell.close())

// Who only oversees or only connects is refused before; `app/access.test.ts` walks every route with every role.
const thingRoles: readonly Role[] = ['pharmacist', 'facilities', 'biomed', 'administrator']
const cases: [Role, Kind, boolean][] = [
  ...thingRoles.flatMap((role): [Role, Kind, boolean][] => [
    [role, 'patient', false],
    [role, 'asset', true],
  ]),
  ...(['nurse', 'physician'] as const).flatMap((role): [Role, Kind, boolean][] => [
    [role, 'patient', true],
    [role, 'asset', true],
  ]),
]

test.each(cases)('rights > %s and what is known of a %s: %s', async (role, kind, isSeen) => {
  const { cookie } = await shell.signIn([role])
  const { subject, task, alert } = of[kind]
  const ask = (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object) =>
    shell.server.inject({
      ...{ method, url, headers: { cookie, 'sec-fetch-site': 'same-origin' } },
      ...(payload === undefined ? {} : { payload }),
    })
  const shown = isSeen ? 200 : 404
  const series = `/api/v1/subjects/${subject}/series?from=0&to=4000000000000`
  for (const url of [
    `/api/v1/subjects/${subject}`,
    series,
    `/api/v1/subjects/${subject}/latest`,
    `/api/v1/subjects/${subject}/days?from=2026-01-01&to=2026-01-31`,
    `/api/v1/tasks/${task}`,
    `/api/v1/alerts/${alert}/explain`,
    `/api/v1/subjects/${subject}/alerts`,
    `/api/v1/subjects/${subject}/rules`,
    `/api/v1/subjects/${subject}/overrides`,
    `/api/v1/tasks/${task}/notifications`,
  ]) {
    const answer = await ask('GET', url)
    expect([url, answer.statusCode]).toEqual([url, shown])
    if (!isSeen) expect(answer.body).not.toContain('Zwölfaxinger')
  }
  const list = (await ask('GET', '/api/v1/worklist')).json<Worklist>()
  expect(list.rows.some((row) => row.subject.id === subject)).toBe(isSeen)
  if (!isSeen) expect(list.total).toBe(list.rows.length)
  for (const found of [
    await ask('GET', '/api/v1/subjects'),
    await ask('POST', '/api/v1/subjects/search', { ids: [subject] }),
  ])
    expect(found.json<{ items: { id: string }[] }>().items.some(({ id }) => id === subject)).toBe(isSeen)
  if (isSeen) return
  const refused = 404
  const complete = { disposition: 'no-action-needed', note: 'n', checked: [] }
  for (const [act, body] of [
    ['claim'],
    ['acknowledge'],
    ['release'],
    ['snooze', { minutes: 5 }],
    ['hand-off', { to: 'somebody' }],
    ['complete', complete],
    ['reopen'],
  ] as const)
    expect([act, (await ask('POST', `/api/v1/tasks/${task}/${act}`, body)).statusCode]).toEqual([act, refused])
  const [from, to] = [shell.clock.now(), shell.clock.now()]
  const activity = { subject, from, to, kind: 'data-review', source: 'worklist', ended: true }
  const told = await ask('PUT', `/api/v1/activities/${shell.engine.ids.uuid()}`, activity)
  expect(told.statusCode).toBe(refused)
  const spent = await ask('GET', `/api/v1/subjects/${subject}/activities?from=0&to=1000`)
  expect(spent.statusCode).toBe(refused)
})
