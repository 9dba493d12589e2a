/** The board behind the real shell: real devices, a real program, readings through the log into telemetry and alerting. */
import { fileURLToPath } from 'node:url'
import type { Board, BoardUnit } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeAlerting, readPrograms } from '../alerting/index.ts'
import { evaluateAll } from '../alerting/testing/evaluate-all.ts'
import { type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { type Fleet, makeFleet } from '../fleet/index.ts'
import { aFridge, aPatient, byTest } from '../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../subjects/index.ts'
import { aReading, catchUp, LAZY, logged } from '../telemetry/fixtures.ts'
import { takeAllFacts } from '../workflow/testing/take-all-facts.ts'
import { environmentRoutes } from './routes.ts'

const minute = 60_000
let shell: TestShell
let subjects: Subjects
let fleet: Fleet
let ben: Signed

interface Unit {
  readonly subject: string
  readonly device: string
  readonly assignment: string
}

beforeAll(async () => {
  shell = await testShell({
    routes(identity, engine) {
      const staff = (tenant: string) => identity.members(tenant)
      subjects = makeSubjects(engine, staff)
      fleet = makeFleet(engine, {
        knowsProfile: () => true,
        issueCertificate: () => Promise.reject(new Error('no certificates in this test')),
        verifyCertificate: () => {
          throw new Error('no certificates in this test')
        },
      })
      return environmentRoutes({ engine, subjects, alerting: makeAlerting(engine, subjects, staff), staff })
    },
  })
  ben = await shell.signIn(['facilities'])
  await shell.signIn(['pharmacist', 'biomed'])
  const alerting = makeAlerting(shell.engine, subjects, (tenant) => shell.identity.members(tenant))
  const folder = fileURLToPath(new URL('../../../../programs', import.meta.url))
  const programs = await readPrograms(folder)
  await alerting.activate(byTest(shell.tenant), programs.find(({ code }) => code === 'vaccine-fridge')!)
})
afterAll(() => shell.close())

let probes = 0
async function aUnit(name: string): Promise<Unit> {
  const by = byTest(shell.tenant)
  const subject = (await subjects.create(by, aFridge(name))).id
  const device = await fleet.enrolDevice(by, {
    name: `probe-${++probes}`,
    classification: 'operational',
    profile: 'generic',
  })
  const { id } = await fleet.assign(by, device.id, subject, shell.clock.now() - 25 * 60 * minute)
  await subjects.enrol(by, subject, { program: 'vaccine-fridge', owner: ben.id })
  return { subject, device: device.id, assignment: id }
}

/** Readings of one unit, one each `everyMs` up to `until`. */
async function measure(unit: Unit, values: readonly number[], everyMs = 5 * minute, until = shell.clock.now()) {
  const readings = values.map((value, i) =>
    aReading('temperature-probe', until - (values.length - 1 - i) * everyMs, value),
  )
  await shell.engine.log.append([logged({ tenant: shell.tenant, ...unit }, readings, { receivedAt: until })])
}

async function settle(): Promise<void> {
  // At once: the clock stands still.
  await catchUp(shell.engine, { ...LAZY, flushAfterMs: 0 })
  await evaluateAll(shell.engine, subjects)
  await takeAllFacts(shell.engine, subjects)
}

async function board(who: Signed = ben): Promise<Board> {
  const headers = { cookie: who.cookie, 'sec-fetch-site': 'same-origin' }
  const answer = await shell.server.inject({ method: 'GET', url: '/api/v1/board', headers })
  expect(answer.statusCode).toBe(200)
  return answer.json<Board>()
}

const unitOf = ({ units }: Board, unit: Unit): BoardUnit => units.find(({ subject }) => subject.id === unit.subject)!

test('environment > each unit shows its probe, its newest value, its band and 24 h in 96 steps', async () => {
  const unit = await aUnit('Alpha')
  await measure(unit, [4, 5, 6, 7], 10 * minute)
  await settle()
  const { units, at } = await board()
  expect(at).toBe(shell.clock.now())
  const shown = unitOf({ units, at }, unit)
  expect(shown).toMatchObject({
    ...{ subject: { name: 'Alpha', kind: 'asset' }, site: null, unit: '°C', ucum: 'Cel', band: { low: 2, high: 8 } },
    ...{ programs: [{ code: 'vaccine-fridge' }], alerts: [], outSince: null },
  })
  const [probe, ...more] = shown.probes
  expect(more).toEqual([])
  expect(probe).toMatchObject({
    device: unit.device,
    name: 'probe-1',
    signal: 'temperature-probe',
    state: 'fresh',
    connected: null,
  })
  expect(probe!.last).toMatchObject({ value: 7, measuredAt: shell.clock.now() })
  expect(probe!.trace).toHaveLength(96)
  expect(probe!.trace.at(-1)!.at).toBeLessThanOrEqual(at)
  expect(at - probe!.trace[0]!.at).toBeLessThanOrEqual(24 * 60 * minute)
  const measured = probe!.trace.filter(({ min }) => min !== null)
  expect(Math.min(...measured.map(({ min }) => min!))).toBe(4)
  expect(Math.max(...measured.map(({ max }) => max!))).toBe(7)
})

test('environment > a probe that is silent is stale, and one that never spoke has no data: neither shows a current value', async () => {
  const silent = await aUnit('Silent')
  const mute = await aUnit('Mute')
  await measure(silent, [5])
  await shell.clock.advance(26 * 60 * minute)
  ben = await shell.signIn(['facilities']) // a session lasts twelve hours
  await settle()
  const shown = await board()
  const [stale] = unitOf(shown, silent).probes
  expect(stale!.state).not.toBe('fresh')
  expect(stale!.last!.measuredAt).toBe(shown.at - 26 * 60 * minute)
  expect(stale!.trace.every(({ min }) => min === null)).toBe(true)
  const [none] = unitOf(shown, mute).probes
  expect(none).toMatchObject({ state: 'no-data' })
  expect(none!.last).toBeUndefined()
})

test('environment > what is too warm comes first with its alert and task, out of the band comes before silence, silence before fine', async () => {
  const fine = await aUnit('A fine one')
  const warm = await aUnit('Z warm')
  const justOut = await aUnit('Y just out')
  for (const value of [9, 9.5, 10, 10, 10]) {
    await shell.clock.advance(5 * minute)
    await measure(warm, [value])
  }
  await measure(justOut, [5, 8.4, 8.5], minute)
  await measure(fine, [5])
  await settle()
  const shown = await board()
  const order = shown.units.map(({ subject }) => subject.name)
  const places = ['Z warm', 'Y just out', 'Silent', 'A fine one'].map((name) => order.indexOf(name))
  expect(places).toEqual([...places].sort((a, b) => a - b))
  const [alert, ...more] = unitOf(shown, warm).alerts
  expect(more).toEqual([])
  expect(alert).toMatchObject({
    priority: 'medium',
    condition: 'active',
    handling: 'new',
    title: 'Refrigerator too warm',
  })
  expect(alert!.sentence).toContain('10.0 °C')
  expect(alert!.task).toMatch(/^[0-9a-f-]{36}$/)
  expect(unitOf(shown, warm).outSince).toBe(shown.at - 20 * minute)
  expect(unitOf(shown, justOut)).toMatchObject({ alerts: [], outSince: shown.at - minute })
  expect(unitOf(shown, fine).outSince).toBeNull()
})

test('environment > the band is that of the unit: a limit of its own narrows or widens it, until that ends', async () => {
  const unit = await aUnit('Own limit')
  const alerting = makeAlerting(shell.engine, subjects, (tenant) => shell.identity.members(tenant))
  const by = { ...byTest(shell.tenant), actor: `staff:${ben.id}` }
  const { rules } = await alerting.rulesOf(by, unit.subject)
  const { rule } = rules.find((each) => each.rule.code === 'too-warm')!
  const limits = [
    { part: 'when' as const, index: 0, limit: 9, unit: 'Cel' },
    { part: 'clear' as const, index: 0, limit: 8.5, unit: 'Cel' },
  ]
  const expiresAt = shell.clock.now() + 60 * minute
  const set = await alerting.setOverride(by, unit.subject, { rule: rule.id, limits, reason: 'Glass door', expiresAt })
  await measure(unit, [8.6])
  await settle()
  expect(unitOf(await board(), unit)).toMatchObject({ band: { low: 2, high: 9 }, outSince: null })
  await alerting.endOverride(by, unit.subject, set.id)
  expect(unitOf(await board(), unit)).toMatchObject({ band: { low: 2, high: 8 }, outSince: shell.clock.now() })
})

test('environment > people are never on the board, each unit shown is audited, and who may not see it is refused', async () => {
  const by = byTest(shell.tenant)
  const patient = (await subjects.create(by, aPatient())).id
  await subjects.enrol(by, patient, { program: 'vaccine-fridge', owner: ben.id })
  const nurse = await shell.signIn(['nurse'])
  const shown = await board(nurse)
  expect(shown.units.map(({ subject }) => subject.kind)).not.toContain('patient')
  const audited = (await shell.trail()).filter(
    ({ actor, resource }) => actor === `staff:${nurse.id}` && resource === 'board',
  )
  expect(audited.map(({ subject }) => subject).sort()).toEqual(shown.units.map(({ subject }) => subject.id).sort())
  const token = await shell.token(['device:read'])
  const refused = await shell.server.inject({ method: 'GET', url: '/api/v1/board', headers: { authorization: token } })
  expect(refused.statusCode).toBe(403)
})

test('environment > a unit whose enrolment ended leaves the board, a probe that was taken off leaves its unit', async () => {
  const by = byTest(shell.tenant)
  const ended = await aUnit('Ended')
  const bare = await aUnit('Bare')
  await shell.clock.advance(minute)
  const [enrolment] = await subjects.enrolmentsOf(shell.tenant, ended.subject)
  await subjects.endEnrolment(by, enrolment!.id, shell.clock.now())
  await fleet.unassign(by, bare.device, shell.clock.now())
  const shown = await board()
  expect(unitOf(shown, ended)).toBeUndefined()
  expect(unitOf(shown, bare).probes).toEqual([])
})
