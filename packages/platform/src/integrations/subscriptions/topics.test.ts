/** Alerts, tasks and devices as they are told outside: from a reading to a notification, once its resource stands in the record. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { alertingViews } from '../../alerting/index.ts'
import { minute } from '../../alerting/testing/scene.ts'
import { testClinical } from '../../clinical/fixtures.ts'
import { type Clinical, type KeepingViews, ownViews, takeViews, viewsCursor } from '../../clinical/index.ts'
import { settledFacts } from '../../engine/testing/index.ts'
import { makeIdentity } from '../../identity/index.ts'
import { asOwnService } from '../../subjects/fixtures.ts'
import { byOf, withReach } from '../../subjects/index.ts'
import { workflowViews } from '../../workflow/index.ts'
import { openToldScene, type ToldScene } from '../../workflow/testing/told-scene.ts'
import type { SubscriptionParts } from './parts.ts'
import { type Working, workOnSubscriptions } from './stage.ts'
import { takeEvents } from './take-events.ts'
import { takeSubscription } from './take-subscription.ts'
import { type Endpoint, openEndpoint } from './testing/endpoint.ts'
import { aSubscription, base } from './testing/told-outside.ts'
import type { TopicCode } from './topics.ts'
import { wireSubscriptions } from './wire-subscriptions.ts'

let scene: ToldScene
let clinical: Clinical
let keeping: KeepingViews
let parts: SubscriptionParts
let working: Working
let program: string
const opened: Endpoint[] = []

beforeAll(async () => {
  scene = await openToldScene({ email: false })
  const { engine } = scene
  const tested = testClinical(engine, {
    takeIn: async (tx, by, taking) =>
      taking.resource.resourceType === 'Subscription'
        ? { subject: null, tree: await takeSubscription(parts, tx, by, taking) }
        : null,
  })
  clinical = tested.clinical
  keeping = { clinical, views: [ownViews, alertingViews, workflowViews].flatMap((each) => each(engine, clinical)) }
  parts = wireSubscriptions({
    ...{ engine, clinical, consents: tested.subjects.consents, base, outbound: { allowPrivate: ['127.0.0.1'] } },
    horizon: () => engine.db.cursor(viewsCursor),
  })
  const identity = await makeIdentity(engine, {
    ...{ secureCookies: false, signInsPerMinute: 10, idleLockMs: 900_000, publicOrigin: undefined },
    outbound: { allowPrivate: [] },
  })
  const { id } = await identity.createServiceToken({ tenant: scene.tenant, name: 'EHR', scopes: ['*:*'] })
  program = id
  await asOwnService(engine, scene.tenant, id)
  working = workOnSubscriptions(parts)
})
afterAll(async () => {
  await working?.()
  await Promise.all(opened.map((each) => each.close()))
  await scene?.stop()
})

const fire = async () => {
  for (;;) {
    const fired = await scene.engine.timers.runDue()
    if (!(await working.idle()) && fired === 0) return
  }
}
const viewsTake = async () => {
  await settledFacts(scene.engine)
  while (await takeViews(scene.engine, keeping));
}
const told = async () => {
  await viewsTake()
  while ((await takeEvents(parts)) === 'taken');
  await fire()
}

async function subscribed(topic: TopicCode, filters: readonly string[] = []): Promise<Endpoint> {
  const there = await openEndpoint()
  opened.push(there)
  const who = { kind: 'service', tenant: scene.tenant, id: program, scopes: ['*:*'] } as const
  const by = byOf(await withReach(scene.engine, who), 'r')
  await clinical.update(by, aSubscription(`of-${topic}-${opened.length}`, { endpoint: there.url, topic, filters }))
  await fire()
  return there
}
const focusesOf = ({ taken }: Endpoint) => taken.flatMap(({ focuses }) => focuses)

test('subscriptions > an alert is told when it is raised and when it is closed, its task when nobody came in time', async () => {
  const [patient, somebody] = [await scene.aPatient(), await scene.aPatient()]
  const raised = await subscribed('alert-raised', [`DetectedIssue?patient=Patient/${patient}`])
  const other = await subscribed('alert-raised', [`DetectedIssue?patient=Patient/${somebody}`])
  const closed = await subscribed('alert-closed')
  const overdue = await subscribed('task-overdue', ['Task?status=requested'])
  const task = await scene.raise(patient)
  const [row] = await scene.rows<{ alert_id: string }>(`select alert_id from tenant.task where id = '${task}'`)
  const alert = `DetectedIssue/${row!.alert_id}`
  // The record does not show it yet: it waits for that.
  await settledFacts(scene.engine)
  while ((await takeEvents(parts)) === 'taken');
  await fire()
  expect(focusesOf(raised)).toEqual([])
  await told()
  expect(focusesOf(raised)).toEqual([alert])
  expect(raised.taken.at(-1)!.bundle.entry[1]!.resource).toMatchObject({
    resourceType: 'DetectedIssue',
    status: 'preliminary',
  })
  expect(focusesOf(overdue)).toEqual([])
  await scene.pass(15 * minute)
  await scene.pass(15 * minute)
  await told()
  expect(focusesOf(overdue)).toEqual([`Task/${task}`])
  await scene.pass(60 * minute)
  await told()
  expect(focusesOf(overdue)).toHaveLength(1)
  await scene.workflow.complete({ tenant: scene.tenant, staff: 'nora' }, task, {
    ...{ disposition: 'contacted-patient', note: 'Rested.', checked: [] },
  })
  await told()
  expect(focusesOf(closed)).toEqual([alert])
  expect(focusesOf(other)).toEqual([])
})
