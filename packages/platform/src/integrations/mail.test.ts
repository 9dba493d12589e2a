/** Notifications by mail to a real mail server, on scripted time. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { minute } from '../alerting/testing/scene.ts'
import { openToldScene, type ToldScene } from '../workflow/testing/told-scene.ts'
import { type Fault, type MailParts, netMs } from './deliver-mail.ts'
import { makeMailServer } from './mail-server.ts'
import { workOnMail } from './stages.ts'
import { openPostOffice, type PostOffice } from './testing/post-office.ts'

let scene: ToldScene
let office: PostOffice
let patient: string
beforeAll(async () => {
  scene = await openToldScene({ email: true })
})
afterAll(() => scene.stop())
beforeEach(async () => {
  office = await openPostOffice()
  patient = await scene.aPatient()
})
afterEach(async () => {
  // What is left open would page into the next test.
  for (const { id } of await scene.rows<{ id: string }>(`select id from tenant.task where status <> 'completed'`))
    await scene.workflow.complete(nora(), id, { disposition: 'contacted-patient', note: 'Fine.', checked: [] })
  await office.shut()
})

/** A process that delivers what is due, until nothing is under way; then it ends. */
async function deliver(
  options: { fault?: Fault; meanwhile?: () => Promise<void>; endsAtOnce?: true } = {},
): Promise<void> {
  const server = makeMailServer(office.settings)
  const parts: MailParts = {
    ...{ engine: scene.engine, subjects: scene.subjects, ways: scene.ways, settings: office.settings, server },
    ...(options.fault ? { fault: options.fault } : {}),
  }
  const stop = workOnMail(parts)
  await scene.engine.timers.runDue()
  await options.meanwhile?.()
  if (!options.endsAtOnce) await stop.idle()
  let isOver = false
  const stopping = stop().finally(() => {
    isOver = true
  })
  while (options.endsAtOnce && !isOver) await scene.clock.advance(100)
  await stopping
}

class Killed extends Error {}
const dieWhen =
  (moment: Parameters<Fault>[0]): Fault =>
  (now) => {
    if (now === moment) throw new Killed()
  }

const emails = async (task: string) => (await scene.intents(task)).filter(({ channel }) => channel === 'email')
const attempts = (intent: string) =>
  scene.rows<{ number: number; outcome: string; handed_at: string | null }>(
    `select * from tenant.delivery_attempt where intent_id = '${intent}' order by number`,
  )
const nora = () => ({ tenant: scene.tenant, staff: 'nora' })

test('mail > says that something waits, how urgent and until when, with a link, and neither name nor value', async () => {
  const task = await scene.raise(patient)
  await deliver()
  const [intent, ...more] = await emails(task)
  expect(more).toEqual([])
  expect(office.mails).toMatchObject([{ to: 'nora@clinic.example', messageId: `<${intent!.id}@clinic.example>` }])
  const { raw } = office.mails[0]!
  expect(raw).toContain('Subject: High priority: Blood pressure severely high')
  expect(raw).toMatch(/Limit 30 min, until \d\d:\d\d \(Europe\/Vienna\)/)
  expect(raw.replaceAll('=\r\n', '').replaceAll('=3D', '=')).toContain(
    `https://careloop.clinic.example/worklist?task=${task}`,
  )
  const { display } = (await scene.subjects.names(scene.tenant, [patient])).get(patient)!
  // Ids may hold any digits by chance: of message, task and MIME boundary.
  const words = raw.replaceAll('=\r\n', '').replaceAll(/[\da-f]{8}-[\da-f-]{27}|_NmP-[\w-]+/g, '')
  for (const secret of [...display.split(/\W+/), '192', '124']) expect(words).not.toContain(secret)
  expect(raw).not.toContain(patient)
  expect(intent).toMatchObject({ attempts: 1, delivered_at: String(scene.clock.now()) })
  await scene.pass(10 * minute)
  await deliver()
  expect(office.mails).toHaveLength(1)
})

test('mail > an acknowledgement between the intent and its delivery cancels it', async () => {
  const task = await scene.raise(patient)
  await scene.workflow.claim(nora(), task)
  await deliver()
  expect(office.mails).toEqual([])
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'email raised nora 0 not: acknowledged'])
})

test('mail > an acknowledgement while the mail server hangs cancels it: it is asked again on the open connection', async () => {
  const task = await scene.raise(patient)
  const door = office.holdAtTheDoor()
  await deliver({
    async meanwhile() {
      await door.came
      await scene.workflow.claim(nora(), task)
      door.letIn()
    },
  })
  expect(office.mails).toEqual([])
  const [intent] = await emails(task)
  expect(intent).toMatchObject({ cancelled: 'acknowledged', attempts: 1 })
  expect(await attempts(intent!.id)).toMatchObject([{ outcome: 'withdrawn', handed_at: null }])
})

test('mail > killed between the mail server taking it and our commit: sent again with the same id, counted and explained', async () => {
  const task = await scene.raise(patient)
  await deliver({ fault: dieWhen('accepted') })
  expect(office.mails).toHaveLength(1)
  await scene.clock.advance(netMs - 1)
  await deliver()
  expect(office.mails).toHaveLength(1)
  await scene.clock.advance(1)
  await deliver()
  const [intent] = await emails(task)
  expect(office.mails.map(({ messageId }) => messageId)).toEqual(Array(2).fill(`<${intent!.id}@clinic.example>`))
  expect(await attempts(intent!.id)).toMatchObject([{ outcome: 'unknown' }, { outcome: 'accepted' }])
  const { items } = await scene.workflow.taskNotifications(scene.by, task)
  expect(items.find(({ channel }) => channel === 'email')).toMatchObject({
    ...{ attempts: 2, deliveredAt: scene.clock.now() },
    repeated: expect.stringContaining('stopped'),
  })
})

test.each(['begun', 'handed'] as const)('mail > killed when it was %s: it goes out once', async (moment) => {
  const task = await scene.raise(patient)
  await deliver({ fault: dieWhen(moment) })
  expect(office.mails).toEqual([])
  await scene.clock.advance(netMs)
  await deliver()
  expect(office.mails).toHaveLength(1)
  const [intent] = await emails(task)
  const outcome = moment === 'begun' ? 'interrupted' : 'unknown'
  expect(await attempts(intent!.id)).toMatchObject([{ outcome }, { outcome: 'accepted' }])
})

test('mail > a mail server that cuts the connection after the message may have it: sent again, and said so', async () => {
  const task = await scene.raise(patient)
  office.fallSilentOnce()
  await deliver()
  await scene.clock.advance(5_000)
  await deliver()
  const [intent] = await emails(task)
  expect(await attempts(intent!.id)).toMatchObject([{ outcome: 'unknown' }, { outcome: 'accepted' }])
  expect(intent!.repeated).toContain('did not say whether it took it')
  expect(new Set(office.mails.map(({ messageId }) => messageId)).size).toBe(1)
})

test('mail > the mail server is down: tried again, then the backup is told and the failure shown; when it is up, it goes out', async () => {
  const task = await scene.raise(patient)
  await office.shut()
  for (const wait of [0, 5_000, 15_000]) {
    await scene.clock.advance(wait)
    await deliver()
  }
  expect(await scene.facts('DeliveryFailed')).toEqual([])
  await scene.clock.advance(45_000)
  await deliver()
  const [intent] = await emails(task)
  expect(await scene.facts('DeliveryFailed')).toEqual([{ type: 'DeliveryFailed', intent: intent!.id, task }])
  await scene.settle()
  expect((await scene.told(task)).slice(2)).toEqual(['in-app undelivered ben 1', 'email undelivered ben 1'])
  const { items } = await scene.workflow.taskNotifications(scene.by, task)
  expect(items[1]).toMatchObject({
    failedAt: expect.any(Number),
    failure: expect.stringMatching(/^unreachable: ESOCKET/),
    attempts: 4,
  })
  await office.open()
  await scene.clock.advance(120_000)
  await deliver()
  expect(office.mails.map(({ to }) => to).sort()).toEqual(['ben@clinic.example', 'nora@clinic.example'])
  expect((await emails(task)).map((row) => row.delivered_at !== null)).toEqual([true, true])
})

test('mail > an address that the mail server refuses for good is told at once', async () => {
  const before = (await scene.facts('DeliveryFailed')).length
  const task = await scene.raise(patient)
  office.refuse(550)
  await deliver()
  expect((await scene.facts('DeliveryFailed')).slice(before)).toMatchObject([{ task }])
  await scene.settle()
  office.refuse(null)
  await deliver()
  expect(office.mails.map(({ to }) => to)).toEqual(['ben@clinic.example'])
  expect((await emails(task))[0]!.failure).toBe('refused: 550 at RCPT TO')
})

test('mail > somebody without an address is a failure that is shown, and the backup is told at once', async () => {
  const address = scene.people[0]!
  scene.people[0] = { ...address, email: '' }
  const task = await scene.raise(patient)
  scene.people[0] = address
  expect(await scene.told(task)).toEqual([
    ...['in-app raised nora 0', 'email raised nora 0 not: no-address'],
    ...['in-app undelivered ben 1', 'email undelivered ben 1'],
  ])
})

test('mail > a process that ends waits for no mail server that hangs; the next one delivers', async () => {
  await scene.raise(patient)
  const door = office.holdAtTheDoor()
  await deliver({ meanwhile: () => door.came, endsAtOnce: true })
  door.letIn()
  expect(office.mails).toEqual([])
  await scene.clock.advance(5_000)
  await deliver()
  expect(office.mails).toHaveLength(1)
})

test('mail > of two processes one delivers', async () => {
  await scene.raise(patient)
  const other = scene.test.another({ clock: scene.clock }).engine
  const work = (engine: typeof other) =>
    workOnMail({
      ...{ engine, subjects: scene.subjects, ways: scene.ways, settings: office.settings },
      server: makeMailServer(office.settings),
    })
  const stops = [work(scene.engine), work(other)]
  await Promise.all([scene.engine.timers.runDue(), other.timers.runDue()])
  for (const stop of stops) {
    await stop.idle()
    await stop()
  }
  expect(office.mails).toHaveLength(1)
})

test('mail > what is found late goes to nobody by mail', async () => {
  await scene.pass(60 * minute)
  const ago = scene.clock.now() - 50 * minute
  for (const at of [ago, ago + 90_000]) await scene.measure(patient, { systolic: 192, diastolic: 124 }, { at })
  await scene.settle()
  await deliver()
  expect(await emails(await scene.taskOf(patient))).toEqual([])
})

test('mail > a newer page says all that one which did not get through would: one mail, not two', async () => {
  const task = await scene.raise(patient)
  await office.shut()
  await deliver()
  await scene.pass(15 * minute)
  await office.open()
  await deliver()
  expect(office.mails).toHaveLength(1)
  expect((await scene.told(task)).filter((told) => told.startsWith('email'))).toEqual([
    ...['email raised nora 0 not: replaced', 'email reminder nora 0'],
  ])
})

test('mail > a review is told to its office with a link to it; once it is closed nobody else is told', async () => {
  const bio = { id: 'bio', displayName: 'bio', email: 'bio@clinic.example', roles: ['biomed'], endedAt: null } as const
  scene.people.push(bio)
  const review = await scene.review()
  await deliver()
  expect(office.mails).toMatchObject([{ to: 'bio@clinic.example' }])
  const text = office.mails[0]!.raw.replaceAll('=\r\n', '').replaceAll('=3D', '=')
  expect(text).toContain(`https://careloop.clinic.example/reviews?review=${review}`)
  expect(text).toContain('To be closed within 24 h')

  const late = await scene.review()
  const person = { ...bio, tenant: scene.tenant, requestId: 'r' }
  const closing = { version: 1, outcome: 'harmless', note: 'A test of the new gateway.' } as const
  await scene.workflow.reviews.close(person, late, closing)
  await deliver()
  expect(office.mails).toHaveLength(1)
  scene.people.pop()
})
