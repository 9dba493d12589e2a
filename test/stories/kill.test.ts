/**
 * Power goes, processes are killed: kill -9 of the server, of the whole database and of single backends, aimed at the moments that
 * hurt (a commit of the log has just begun, readings are being sealed) and at random, under load. `npm run soak:kill` does it
 * a hundred times.
 */
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest'
import { openPostOffice, type PostOffice } from '../../packages/platform/src/integrations/testing/post-office.ts'
import { type Aim, COMMITTING, SEALING, TAKING_IN, takeAim } from './support/aim.ts'
import { countAlerts, measureOnce } from './support/alerts.ts'
import { type Cuff, type Ground, openGround } from './support/ground.ts'
import { toldByMail } from './support/notifications.ts'
import { clusterOf, signal } from './support/processes.ts'
import { randomFrom, rounds, seed } from './support/soak.ts'
import { caughtUp, judge, storedInLog, storedInTelemetry } from './support/stored.ts'
import type { StoryDevice } from './support/story-device.ts'
import { sleep, waitFor, waitUntilTrue } from './support/wait.ts'

const CUFFS_A_ROUND = 3
const random = randomFrom(seed)

let ground: Ground
let office: PostOffice
let devices: StoryDevice[]
let cuffs: Cuff[]

beforeAll(async () => {
  office = await openPostOffice()
  const { host, port } = office.settings
  ground = await openGround({
    ...{ CARELOOP_SMTP_URL: `smtp://${host}:${port}`, CARELOOP_MAIL_FROM: office.settings.from },
  })
  const namings = ['seq', 'ts', 'neither'] as const
  devices = await Promise.all(
    Array.from({ length: 12 }, (_, i) => ground.device(namings[i % 3]!, { version: i % 2 === 0 ? 4 : 5 })),
  )
  cuffs = await Promise.all(Array.from({ length: rounds * CUFFS_A_ROUND }, () => ground.cuff()))
  await ground.letGo()
  for (const device of devices) device.start()
})
afterAll(async () => {
  await ground?.end()
  await office?.shut()
})

type Victim = 'server' | 'database' | 'one backend' | 'server and database'
type Moment = 'a commit has begun' | 'readings are sealed' | 'readings are taken in' | 'any'

/** The first five are what CI does; a soak goes on at random. */
const AIMED: readonly (readonly [Victim, Moment])[] = [
  ['server', 'a commit has begun'],
  ['one backend', 'a commit has begun'],
  ['database', 'a commit has begun'],
  ['server', 'readings are sealed'],
  ['one backend', 'readings are sealed'],
]
const VICTIMS = ['server', 'database', 'one backend', 'server and database'] as const
const MOMENTS = ['a commit has begun', 'readings are sealed', 'readings are taken in', 'any'] as const

beforeEach(() => onTestFailed(() => console.log(ground?.server.output().slice(-4000))))

test(`every acknowledged reading is stored exactly once through ${rounds} rounds of kill -9 (seed ${seed})`, {
  timeout: 60_000 + rounds * 40_000,
}, async () => {
  for (let round = 0; round < rounds; round++) {
    const [victim, moment] = AIMED[round] ?? [pick(VICTIMS), pick(MOMENTS)]
    await allGoOn()
    const measured = cuffs
      .slice(round * CUFFS_A_ROUND, (round + 1) * CUFFS_A_ROUND)
      .map((cuff) => measureOnce(ground, cuff))
    const aim = await takeAim(ground.server.databaseUrl())
    const at = await strike(aim, victim, moment)
    await aim.close()
    await backAgain(victim)
    await allGoOn()
    await Promise.all(measured)
    expect(ground.server.output(), `round ${round}: ${victim} killed when ${moment} (${at})`).not.toMatch(
      /"level":60|unhandled/i,
    )
  }
  for (const device of devices) device.quieten()
  await waitFor('all to be acknowledged', () => devices.every((device) => device.unacknowledged === 0))
  await ground.reopen()
  const { engine } = ground.rooms()
  await caughtUp(engine, ['telemetry:0', 'alerting:0', 'quarantine:0'])
  const inLog = judge(devices, await storedInLog(engine))
  expect(inLog).toMatchObject({ lost: [], doubled: [], invented: [] })
  expect(inLog.acknowledged).toBeGreaterThan(devices.length * rounds * 5)
  expect(judge(devices, await storedInTelemetry(ground.rooms()))).toEqual(inLog)
  expect(devices.map((device) => device.sessionsLost)).toEqual(devices.map(() => 0))
})

// Fails by itself when the story before it did: it looks at what that left.
test('each breach that was measured between the kills raised one alert, told once, with one task', async () => {
  const { engine } = ground.rooms()
  await waitFor('the tasks of all alerts', async () => (await countAlerts(engine, ground.clinic)).tasks >= cuffs.length)
  await caughtUp(engine)
  expect(await countAlerts(engine, ground.clinic)).toEqual({
    ...{ subjects: cuffs.length, alerts: cuffs.length, raised: cuffs.length, told: cuffs.length, tasks: cuffs.length },
  })
})

test('the owner of each task was told exactly once in the pages and at least once by mail; every repeat follows a kill and says so', async () => {
  const { engine } = ground.rooms()
  const told = () => toldByMail(engine, ground.clinic)
  await waitFor('every mail to be delivered', async () => (await told()).every(({ delivered }) => delivered))
  const notifications = await told()
  expect(notifications).toHaveLength(cuffs.length)
  for (const { intent, inPages, attempts, handed, unexplained } of notifications) {
    const mails = office.mails.filter(({ messageId }) => messageId.startsWith(`<${intent}@`)).length
    expect({ inPages, unexplained }).toEqual({ inPages: 1, unexplained: 0 })
    expect(mails).toBeGreaterThanOrEqual(1)
    expect(mails).toBeLessThanOrEqual(handed)
    expect(attempts).toBeLessThanOrEqual(rounds + 1)
  }
  // Nobody was told anything that no intent stands for.
  const known = new Set(notifications.map(({ intent }) => `<${intent}@clinic.example>`))
  expect(office.mails.filter(({ messageId }) => !known.has(messageId))).toEqual([])
})

async function strike(aim: Aim, victim: Victim, moment: Moment): Promise<string> {
  const where = {
    'a commit has begun': COMMITTING,
    'readings are sealed': SEALING,
    'readings are taken in': TAKING_IN,
    any: null,
  }[moment]
  if (where === null) await sleep(random() * 800)
  const backend = where === null ? await aim.backend(`application_name like 'careloop-%'`) : await aim.backend(where)
  if (backend === undefined) throw new Error(`nothing was seen to happen: ${moment}`)
  // 0-20 ms after it began; for half of the strikes at once.
  const later = random() < 0.5 ? 0 : random() * 20
  if (later > 0) await sleep(later)
  const { server } = ground
  if (victim === 'one backend') signal(backend, 'SIGKILL')
  if (victim === 'database' || victim === 'server and database')
    for (const pid of clusterOf(server.postmaster())) signal(pid, 'SIGKILL')
  if (victim === 'server' || victim === 'server and database') await server.stop('SIGKILL')
  return `${later.toFixed(1)} ms later`
}

async function backAgain(victim: Victim): Promise<void> {
  if (victim === 'server' || victim === 'server and database') await ground.server.start()
  await waitUntilTrue(
    'the server to be ready again',
    async () => (await fetch(`http://127.0.0.1:${ground.server.http}/readyz`)).ok,
  )
}

/** Every device has a message acknowledged that it sent from now on. */
async function allGoOn(): Promise<void> {
  const until = devices.map((device) => Math.max(0, ...device.sent) + 5)
  await waitFor('every device to go on', () => devices.every((device, i) => device.acknowledged.has(until[i]!)))
}

function pick<T>(choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!
}
