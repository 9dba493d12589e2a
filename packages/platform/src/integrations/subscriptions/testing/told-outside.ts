/** A record, somebody who writes in it, and programs that subscribe to it: real store, real consent, scripted time. */
import type { Scope } from '@careloop/contract'
import type { FhirTree, Resource } from '@careloop/fhir'
import { type TestShell, testShell } from '../../../api/testing/test-shell.ts'
import { anObservation, testClinical } from '../../../clinical/fixtures.ts'
import type { Clinical } from '../../../clinical/index.ts'
import type { Engine } from '../../../engine/index.ts'
import { standingPrincipal } from '../../../identity/index.ts'
import { aPatient, asOwnService, byTest } from '../../../subjects/fixtures.ts'
import { type By, byOf, makeSubjects, type Subjects, withReach } from '../../../subjects/index.ts'
import type { SubscriptionParts } from '../parts.ts'
import { subscriptionRoutes } from '../routes.ts'
import { workOnSubscriptions } from '../stage.ts'
import { makeSubscriptions, type Subscriptions } from '../subscriptions.ts'
import { subscriptionsCursor, takeEvents } from '../take-events.ts'
import { takeSubscription } from '../take-subscription.ts'
import { canonicalOf, type TopicCode } from '../topics.ts'
import { wireSubscriptions } from '../wire-subscriptions.ts'

export const base = 'https://care.example.org/fhir/R4'
const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-'

export interface Asking {
  readonly endpoint: string
  readonly topic?: TopicCode
  readonly filters?: readonly string[]
  readonly content?: string
  readonly header?: readonly string[]
  readonly heartbeatS?: number
  readonly maxCount?: number
  readonly status?: string
  readonly end?: string
}

/** A Subscription as an integrator writes it. */
export const aSubscription = (id: string, asking: Asking): FhirTree =>
  ({
    resourceType: 'Subscription',
    id,
    status: asking.status ?? 'requested',
    reason: 'test',
    criteria: canonicalOf(asking.topic ?? 'resource-changed'),
    ...(asking.filters?.length === 0 ? {} : { _criteria: { extension: filtersOf(asking) } }),
    ...(asking.end === undefined ? {} : { end: asking.end }),
    channel: {
      extension: [
        { url: `${backport}timeout`, valueUnsignedInt: 10 },
        ...(asking.heartbeatS === undefined
          ? []
          : [{ url: `${backport}heartbeat-period`, valueUnsignedInt: asking.heartbeatS }]),
        ...(asking.maxCount === undefined ? [] : [{ url: `${backport}max-count`, valuePositiveInt: asking.maxCount }]),
      ],
      type: 'rest-hook',
      endpoint: asking.endpoint,
      payload: 'application/fhir+json',
      _payload: {
        extension: [{ url: `${backport}payload-content`, valueCode: asking.content ?? 'full-resource' }],
      },
      ...(asking.header === undefined ? {} : { header: asking.header }),
    },
  }) as unknown as FhirTree

const filtersOf = ({ filters = ['Observation?'] }: Asking) =>
  filters.map((valueString) => ({ url: `${backport}filter-criteria`, valueString }))

export interface ToldOutside {
  readonly shell: TestShell
  readonly engine: Engine
  readonly tenant: string
  readonly subjects: Subjects
  readonly clinical: Clinical
  readonly parts: SubscriptionParts
  readonly subscriptions: Subscriptions
  patient(): Promise<string>
  /** A program; its own = of the organisation, which needs no consent. */
  program(isOwn?: boolean, scopes?: readonly Scope[]): Promise<string>
  byProgram(id: string): Promise<By>
  subscribe(by: By, tree: FhirTree): Promise<Resource>
  observe(patient: string, over?: Readonly<Record<string, unknown>>): Promise<string>
  /** Takes in every fact, then says what is due, until nothing is. */
  settle(parts?: SubscriptionParts): Promise<void>
  /** Takes in every fact and tells nobody. */
  takeAll(parts?: SubscriptionParts): Promise<void>
  pass(ms: number): Promise<void>
  /** As another process, or one with a fault; stop it. */
  work(parts: SubscriptionParts): { readonly idle: () => Promise<void>; stop(): Promise<void> }
  row(
    id: string,
  ): Promise<{ status: string; reason: string | null; events: string; delivered: string; failures: number }>
  close(): Promise<void>
}

export async function openToldOutside(): Promise<ToldOutside> {
  let subscriptions: Subscriptions
  // Routes stand before the room that they ask.
  const shell = await testShell({
    routes: () =>
      subscriptionRoutes({
        list: (by) => subscriptions.list(by),
        retry: (by, id) => subscriptions.retry(by, id),
        status: (by, asked) => subscriptions.status(by, asked),
        events: (by, id, question) => subscriptions.events(by, id, question),
      }),
  })
  const { engine, tenant } = shell
  const subjects = makeSubjects(engine, (of) => shell.identity.members(of), null, {
    programs: async () => [],
    grantees: async (of) =>
      new Map((await shell.identity.serviceTokens(of)).map(({ id, name }) => [id, { kind: 'integration', name }])),
  })
  let parts: SubscriptionParts
  const { clinical } = testClinical(engine, {
    consents: subjects.consents,
    takeIn: async (tx, by, taking) =>
      taking.resource.resourceType === 'Subscription'
        ? { subject: null, tree: await takeSubscription(parts, tx, by, taking) }
        : null,
  })
  parts = wireSubscriptions({
    ...{ engine, clinical, consents: subjects.consents, base, horizon: async () => null },
    outbound: { allowPrivate: ['127.0.0.1'] },
  })
  subscriptions = makeSubscriptions(parts)
  let working = workOnSubscriptions(parts)
  const takeAll = async (own = parts) => {
    for (;;) {
      if ((await takeEvents(own)) === 'taken') continue
      const { rows } = await engine.db.pool.query<{ position: string }>(
        `select xid::text || ':' || id as position from engine.fact order by xid desc, id desc limit 1`,
      )
      if (rows.length === 0 || rows[0]!.position === (await engine.db.cursor(subscriptionsCursor))) return
      await new Promise((go) => setTimeout(go, 10))
    }
  }
  const fire = async () => {
    for (;;) {
      const fired = await engine.timers.runDue()
      const wasBusy = await working.idle()
      if (fired === 0 && !wasBusy) return
    }
  }
  return {
    ...{ shell, engine, tenant, subjects, clinical, parts, takeAll },
    subscriptions,
    patient: async () => (await subjects.create(byTest(tenant), aPatient())).id,
    async program(isOwn = true, scopes = ['*:*']) {
      const { id } = await shell.identity.createServiceToken({ tenant, name: 'EHR', scopes })
      if (isOwn) await asOwnService(engine, tenant, id)
      return id
    },
    async byProgram(id) {
      const who = await standingPrincipal(engine, { tenant, actor: `service:${id}` })
      return byOf(await withReach(engine, who!), 'r', 'system', 'update')
    },
    async subscribe(by, tree) {
      const { stored } = await clinical.update(by, tree)
      return JSON.parse(stored.text) as Resource
    },
    async observe(patient, over) {
      const { stored } = await clinical.create(byTest(tenant), anObservation(patient, over))
      return `Observation/${stored.id}`
    },
    async settle(own = parts) {
      await takeAll(own)
      await fire()
    },
    async pass(ms) {
      // At one step: what the engine's own look would begin on the way is a real conversation, which lasts while the hour goes by.
      shell.clock.step(shell.clock.now() + ms)
      await fire()
    },
    work(own) {
      const before = working
      let stopped: Promise<void> | null = null
      const begun = before().then(() => {
        working = workOnSubscriptions(own)
      })
      return {
        idle: async () => {
          await begun
          await working.idle()
        },
        async stop() {
          await begun
          stopped ??= working()
          await stopped
          working = workOnSubscriptions(parts)
        },
      }
    },
    async row(fhirId) {
      const id = await clinical.ridOf(tenant, 'Subscription', fhirId)
      const { rows } = await engine.db.pool.query(
        'select status, reason, events, delivered, failures from tenant.subscription where id = $1',
        [id],
      )
      return rows[0]
    },
    async close() {
      await working()
      await shell.close()
    },
  }
}
