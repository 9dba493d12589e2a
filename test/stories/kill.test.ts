/**
 * Power goes, processes are killed: kill -9 of the server, of the whole database and of single backends, aimed at the moments that
 * hurt (a commit of the log has just begun, an alert, a task or an intent is being written, a mail was accepted and nobody has
 * noted it yet) and at random, under load. `npm run soak:kill` does it a hundred times, with the same judges.
 */
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest'
import { openPostOffice, type PostOffice } from '../../packages/platform/src/integrations/testing/post-office.ts'
import { takeAim } from './support/aim.ts'
import { countAlerts, sorted } from './support/alerts.ts'
import { type Ground, openGround } from './support/ground.ts'
import {
  actOnAll,
  alertsDue,
  type Cast,
  calmDown,
  fallSilent,
  gather,
  isSettled,
  measureRound,
} from './support/kill-cast.ts'
import { SILENT_AFTER_MS } from './support/kill-rules.ts'
import { type Night, night, nightfall } from './support/nights.ts'
import { idOf, judgeTold, readTold } from './support/notifications.ts'
import { isSoak, randomFrom, roundsOr, seed } from './support/soak.ts'
import { caughtUp, judge, storedInLog, storedInTelemetry } from './support/stored.ts'
import type { StoryDevice } from './support/story-device.ts'
import { layAmbush, MOMENTS, type Moment, type Struck, strike, VICTIMS, type Victim } from './support/strikes.ts'
import { waitFor, waitUntilTrue } from './support/wait.ts'

/** What CI does; a soak goes on at random. */
const AIMED: readonly (readonly [Victim, Moment])[] = [
  ['server', 'timers come due meanwhile'],
  ['server', 'a mail was accepted'],
  ['database', 'a mail was accepted, and its reader acts'],
  ['server', 'a commit has begun'],
  ['one backend', 'an alert is written'],
  ['database', 'a commit has begun'],
  ['server', 'somebody is to be told'],
  ['one backend', 'a commit has begun'],
  ['server', 'readings are sealed'],
  ['one backend', 'readings are sealed'],
  ['database', 'a task is opened'],
]
/** In a soak the nurse acts now and then, so that nothing of high priority waits for its limit. */
const ROUNDS_TO_ACT = 20
/** What each start of a server leaves every probe to speak in. */
const GRACE_MS = 60_000
const rounds = roundsOr(AIMED.length)
const random = randomFrom(seed)

let ground: Ground
let office: PostOffice
let devices: StoryDevice[]
let cast: Cast
let kills = 0
/** Intents whose mail was accepted by the mail server when the sender was killed, who had not noted it yet. */
const unnoted: string[] = []
const nights: Night[] = []

beforeAll(
  async () => {
    office = await openPostOffice()
    const { host, port } = office.settings
    ground = await openGround({
      ...{ CARELOOP_SMTP_URL: `smtp://${host}:${port}`, CARELOOP_MAIL_FROM: office.settings.from },
    })
    const namings = ['seq', 'ts', 'neither'] as const
    devices = await Promise.all(
      Array.from({ length: 12 }, (_, i) => ground.device(namings[i % 3]!, { version: i % 2 === 0 ? 4 : 5 })),
    )
    cast = await gather(ground, rounds)
    await waitFor(
      'the first tasks',
      async () => (await readTold(ground.rooms().engine, ground.clinic)).length === rounds,
    )
    await calmDown(ground, cast)
    await ground.letGo()
    for (const device of devices) device.start()
  },
  120_000 + rounds * 10_000,
)
afterAll(async () => {
  await ground?.end()
  await office?.shut()
})

beforeEach(() => onTestFailed(() => console.log(ground?.server.output().slice(-4000))))

test(`every acknowledged reading is stored exactly once through ${rounds} rounds of kill -9 (seed ${seed})`, {
  timeout: 60_000 + rounds * 40_000,
}, async () => {
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    const [victim, moment] = AIMED[round] ?? [pick(VICTIMS), pick(MOMENTS)]
    await allGoOn()
    const ambush = await layAmbush(await takeAim(ground.server.databaseUrl()), office, moment)
    const measured = measureRound(ground, cast, round)
    const dueAt =
      moment === 'timers come due meanwhile'
        ? await measured.then(() => atRest(() => nightfall(ground, cast, round)))
        : 0
    await fallSilent(cast, round)
    const silentAt = Date.now() + SILENT_AFTER_MS
    const struck = await strike(ground, victim, ambush, random)
    await ambush.aim.close()
    kills += struck.kills
    if (dueAt > 0 && victim.startsWith('server')) nights.push({ round, silentAt, ...(await night(dueAt)) })
    await backAgain(victim)
    if (struck.mail !== null) await afterAcceptance(struck, victim, moment)
    await allGoOn()
    await measured
    if (round % ROUNDS_TO_ACT === ROUNDS_TO_ACT - 1) await atRest(() => actOnAll(ground))
    const words = `round ${round}: ${victim} killed when ${moment} (${struck.when})`
    if (isSoak) console.log(`${words}, ${((performance.now() - began) / 1000).toFixed(1)} s`)
    expect(ground.server.output(), words).not.toMatch(/"level":60|unhandled/i)
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

// What follows fails by itself when the story before it did: it looks at what that left.
test('each breach, each hold that ran out and each silence between the kills raised one alert, told once, with one task; what the kills alone made silent raised none', {
  timeout: 400_000,
}, async () => {
  const { engine } = ground.rooms()
  const due = alertsDue(cast)
  const tasks = async () => (await countAlerts(engine, ground.clinic)).reduce((sum, alert) => sum + alert.tasks, 0)
  // A silence is told after the grace that each start of the server leaves, of a minute and no more.
  await waitFor('the tasks of all alerts', async () => (await tasks()) >= due.length, 180_000, 250)
  await waitFor('all to be told', () => isSettled(ground, cast), 180_000, 250)
  expect(sorted(await countAlerts(engine, ground.clinic))).toEqual(sorted(due))
})

test('everybody was told by exactly one intent of each transition; each was delivered or cancelled with a reason; repeats are no more than the kills, and say why', async () => {
  await Promise.all([...cast.speakers.values()].map((speaker) => speaker.hush()))
  const told = await readTold(ground.rooms().engine, ground.clinic)
  const { wrong, repeats } = judgeTold(told, office.mails)
  expect(wrong).toEqual([])
  expect(repeats).toBeLessThanOrEqual(kills)
  const delivered = told.flatMap(({ intents }) => intents.filter((intent) => intent.delivered).map(({ id }) => id))
  // Unless somebody acted before it was sent again.
  for (const id of unnoted.filter((each) => delivered.includes(each)))
    expect(office.mails.filter(({ messageId }) => idOf(messageId) === id).length).toBeGreaterThan(1)
})

test('timers that came due while no server ran fired once, after it was back', async () => {
  const told = await readTold(ground.rooms().engine, ground.clinic)
  expect(nights.length).toBeGreaterThan(0)
  for (const { round, from, to } of nights) {
    const { subject } = cast.scenes[round]!.unanswered
    const [task] = told.filter((one) => one.subject === subject)
    const steps = task!.events.filter(({ what }) => what === 'escalated').map(({ toStaff }) => toStaff)
    expect(steps).toEqual([[ground.clinic.colleague], [ground.clinic.nurse]])
    for (const { wantedAt, createdAt } of task!.intents.filter(({ step }) => step === 1)) {
      expect(wantedAt).toBeGreaterThan(from)
      expect(wantedAt).toBeLessThan(to)
      expect(createdAt).toBeGreaterThanOrEqual(to)
    }
  }
})

test('a silence that would have been due while no server ran is told a minute after it was back', async () => {
  const { engine } = ground.rooms()
  const { silentAt, from, to } = nights.find(({ round }) => round === 0)!
  const [probe] = cast.falling[0]!
  const told = await engine.db.asTenant(ground.clinic.tenant, async (tx) => {
    const sql = 'select recorded_at::float8 as at from tenant.alert where subject_id = $1'
    return (await tx.client.query<{ at: number }>(sql, [probe!.subject])).rows
  })
  expect(silentAt).toBeLessThan(to)
  expect(told).toHaveLength(2)
  // On a machine that took so long to be killed it had been told before.
  const earliest = silentAt < from ? silentAt : to + GRACE_MS
  for (const { at } of told) expect(at).toBeGreaterThanOrEqual(earliest)
})

/** The mail lies at its reader's while the server does not know that: what they do counts, else it comes again. */
async function afterAcceptance({ mail }: Struck, victim: Victim, moment: Moment): Promise<void> {
  // A server that lives may get its note through as soon as the database is back.
  if (moment === 'a mail was accepted' && victim.startsWith('server')) unnoted.push(idOf(mail!))
  if (moment === 'a mail was accepted') return
  await atRest(async () => {
    const { engine, workflow } = ground.rooms()
    const { tenant, nurse } = ground.clinic
    const told = await readTold(engine, ground.clinic)
    const task = told.find(({ intents }) => intents.some(({ id }) => id === idOf(mail!)))
    await workflow.claim({ tenant, staff: nurse }, task!.id)
  })
}

/** Looks at the database, or acts in it, while nobody hurts it. */
async function atRest<T>(look: () => Promise<T>): Promise<T> {
  await ground.reopen()
  try {
    return await look()
  } finally {
    await ground.letGo()
  }
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
