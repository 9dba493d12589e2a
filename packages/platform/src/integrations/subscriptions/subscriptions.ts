/** Subscriptions as people and integrators look at them: health, status, events to catch up with, and another try. */
import type { SubscriptionHealth } from '@careloop/contract'
import type { FhirTree } from '@careloop/fhir'
import { record } from '../../audit/index.ts'
import type { TenantTx } from '../../engine/index.ts'
import type { By } from '../../subjects/index.ts'
import { integrationsFailure } from '../errors.ts'
import { compose, toldOf } from './compose.ts'
import { instantOf, statusOf } from './notification.ts'
import type { SubscriptionParts } from './parts.ts'
import type { Content } from './read-subscription.ts'
import { type EventRow, type SubscriptionRow, toMs, toMsOrNull } from './schema.ts'
import { openBody } from './sealed-body.ts'
import {
  changeSubscription,
  findSubscription,
  fresh,
  lockSubscription,
  setTimer,
  tableOf,
  turn,
  words,
} from './subscription-rows.ts'
import { canonicalOf, topics } from './topics.ts'

export interface EventsQuestion {
  /** Both inclusive. */
  readonly since?: bigint
  readonly until?: bigint
  readonly content?: Content
}

/** Events in one answer; a client asks on from the last. */
const mostEvents = 100

export interface Subscriptions {
  list(by: By): Promise<SubscriptionHealth[]>
  /** Begins anew at once: a handshake when it is in error. @throws Failure `subscription-not-found`, `subscription-not-stopped` */
  retry(by: By, id: string): Promise<SubscriptionHealth>
  /** @throws Failure `type-not-yours` */
  status(
    by: By,
    asked: { readonly fhirIds?: readonly string[]; readonly statuses?: readonly string[] },
  ): Promise<FhirTree[]>
  /** Oldest first, at most a hundred. @throws Failure `subscription-not-found` */
  events(
    by: By,
    fhirId: string,
    question: EventsQuestion,
  ): Promise<{ bundle: FhirTree; headers: Readonly<Record<string, string>> }>
}

export const makeSubscriptions = (parts: SubscriptionParts): Subscriptions => ({
  list: (by) => list(parts, by),
  retry: (by, id) => retry(parts, by, id),
  status: (by, asked) => statuses(parts, by, asked),
  events: (by, fhirId, question) => events(parts, by, fhirId, question),
})

export const notFound = () =>
  integrationsFailure('subscription-not-found', 'There is no such subscription. Search for it again.')

async function list(parts: SubscriptionParts, by: By): Promise<SubscriptionHealth[]> {
  const rows = await parts.engine.db.asTenant(by.tenant, async (tx) => {
    const found = await tableOf(tx).selectFrom('subscription').selectAll().orderBy('created_at').orderBy('id').execute()
    await record(tx, { actor: by.actor, requestId: by.requestId, action: 'search', resource: 'subscription' })
    return found
  })
  return Promise.all(rows.map((row) => healthOf(parts, by.tenant, row)))
}

async function healthOf(
  { engine }: SubscriptionParts,
  tenant: string,
  row: SubscriptionRow,
): Promise<SubscriptionHealth> {
  const body = await openBody(engine, { tenant, id: row.id }, row)
  const says = row.reason === null ? undefined : words[row.reason]
  return {
    ...{ id: row.id, fhirId: body.fhirId, status: row.status, reason: row.reason, says: says ?? null },
    ...{ topic: canonicalOf(row.topic), title: topics.find(({ code }) => code === row.topic)!.title },
    ...{ owner: row.owner, app: body.app?.name ?? null, host: hostOf(body.endpoint), payload: row.payload },
    ...{ events: Number(row.events), behind: Number(row.events) - Number(row.delivered), failures: row.failures },
    ...{ lastToldAt: toMsOrNull(row.told_at), failingSince: toMsOrNull(row.failing_since) },
    ...{ nextTryAt: toMsOrNull(row.next_try_at), trouble: row.trouble, troubleAt: toMsOrNull(row.trouble_at) },
    ...{ createdAt: toMs(row.created_at), endAt: toMsOrNull(row.end_at) },
  }
}

/** A path may hold a secret. */
const hostOf = (endpoint: string): string => (URL.canParse(endpoint) ? new URL(endpoint).host : '')

async function retry(parts: SubscriptionParts, by: By, id: string): Promise<SubscriptionHealth> {
  const { engine } = parts
  const row = await engine.db.asTenant(by.tenant, async (tx) => {
    const found = await lockSubscription(tx, id)
    if (found === undefined) throw notFound()
    if (found.status !== 'error' && found.failures === 0)
      throw integrationsFailure(
        'subscription-not-stopped',
        'Its endpoint takes notifications, or it is off: there is nothing to try again.',
      )
    if (found.status === 'error') await turn(parts, tx, found, { status: 'requested', reason: null, ...fresh })
    else await changeSubscription(tx, id, { next_try_at: null })
    await setTimer(engine, tx, id, engine.clock.now())
    await record(tx, { actor: by.actor, requestId: by.requestId, action: 'execute', resource: 'subscription', id })
    return (await findSubscription(tx, id))!
  })
  return healthOf(parts, by.tenant, row)
}

async function statuses(
  parts: SubscriptionParts,
  by: By,
  { fhirIds, statuses: wanted }: { readonly fhirIds?: readonly string[]; readonly statuses?: readonly string[] },
): Promise<FhirTree[]> {
  parts.assertMayRead(by, 'Subscription')
  const rids =
    fhirIds && (await Promise.all(fhirIds.map((each) => parts.clinical.ridOf(by.tenant, 'Subscription', each))))
  const rows = await parts.engine.db.asTenant(by.tenant, async (tx) => {
    const all = tableOf(tx).selectFrom('subscription').selectAll().orderBy('created_at').orderBy('id')
    const found = rids === undefined ? await all.execute() : await all.where('id', 'in', [...rids]).execute()
    const entry = { actor: by.actor, requestId: by.requestId, resource: 'subscription' } as const
    await record(tx, {
      ...entry,
      action: rids?.length === 1 ? 'read' : 'search',
      ...(rids?.length === 1 ? { id: rids[0] } : {}),
    })
    return found
  })
  const meant = rows.filter(({ status }) => wanted === undefined || wanted.includes(status))
  return Promise.all(
    meant.map(async (row) => {
      const body = await openBody(parts.engine, { tenant: by.tenant, id: row.id }, row)
      return statusOf(toldOf(row, body, 'query-status', parts.base))
    }),
  )
}

/** Asked for by whoever reads it now: what they may not know of has its number only, whoever subscribed. */
async function events(parts: SubscriptionParts, by: By, fhirId: string, question: EventsQuestion) {
  const { engine } = parts
  parts.assertMayRead(by, 'Subscription')
  const id = await parts.clinical.ridOf(by.tenant, 'Subscription', fhirId)
  const before = await engine.db.asTenant(by.tenant, (tx) => findSubscription(tx, id))
  if (before === undefined) throw notFound()
  const body = await openBody(engine, { tenant: by.tenant, id }, before)
  const knowing = await parts.knowing(by)
  const composed = await engine.db.asTenant(by.tenant, async (tx) => {
    const row = await findSubscription(tx, id)
    if (row === undefined) throw notFound()
    const content = question.content ?? row.payload
    const rows = await eventsBetween(tx, row, question)
    const entry = { actor: by.actor, requestId: by.requestId, action: 'read', resource: 'subscription', id } as const
    if (rows.length === 0) await record(tx, entry)
    return compose(parts, tx, { row, body, asked: { by, knowing }, kind: 'query-event', events: rows, content })
  })
  return composed
}

function eventsBetween(tx: TenantTx, { id }: SubscriptionRow, { since, until }: EventsQuestion): Promise<EventRow[]> {
  let query = tableOf(tx).selectFrom('subscription_event').selectAll().where('subscription_id', '=', id)
  if (since !== undefined) query = query.where('number', '>=', String(since))
  if (until !== undefined) query = query.where('number', '<=', String(until))
  return query.orderBy('number').limit(mostEvents).execute()
}

/** `searchset` of several statuses. */
export const statusBundle = (items: readonly FhirTree[], at: number): FhirTree => ({
  resourceType: 'Bundle',
  type: 'searchset',
  timestamp: instantOf(at),
  total: items.length,
  entry: items.map((resource) => ({ resource, search: { mode: 'match' } })),
})
