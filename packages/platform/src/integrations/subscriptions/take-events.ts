/**
 * From facts to numbered events: one process at a time, in the order of the facts. The rows stand in the transaction that moves the
 * reader on, so there is exactly one event of each subscription and fact, and its number follows the one before.
 */
import type { Fact } from '@careloop/contract'
import type { Stored } from '../../clinical/index.ts'
import { type Engine, isPassing, type TenantTx } from '../../engine/index.ts'
import { type Asked, askedBy } from './owners.ts'
import type { SubscriptionParts } from './parts.ts'
import { type SubscriptionRow, toMsOrNull } from './schema.ts'
import { openBody, type SubscriptionBody } from './sealed-body.ts'
import { keepsEvents } from './status.ts'
import { eventsTotal, setAside } from './subscription-metrics.ts'
import {
  changeSubscription,
  lockSubscription,
  setTimer,
  stopGone,
  subscriptionTimer,
  tableOf,
} from './subscription-rows.ts'
import { eventOf, type TopicCode } from './topics.ts'

export const subscriptionsCursor = 'subscriptions'
const batch = 100

/** Where events stand, and whether there are facts beyond. */
export async function subscriptionsProgress(
  engine: Engine,
): Promise<{ readonly at: string; readonly isBehind: boolean }> {
  const at = await engine.db.cursor(subscriptionsCursor)
  return { at, isBehind: (await engine.db.readFacts(at, 1)).length > 0 }
}

/**
 * Takes in the next facts. One that breaks is set aside, loudly: it must not keep back those that come after it.
 * @returns `ahead`: there are some, of which the record does not show yet what they tell
 */
export async function takeEvents(parts: SubscriptionParts): Promise<'taken' | 'none' | 'ahead'> {
  const { engine } = parts
  const from = await engine.db.cursor(subscriptionsCursor)
  const told = await engine.db.readFacts(from, batch)
  if (told.length === 0) return 'none'
  const facts = upTo(await parts.horizon(), told)
  const last = facts.at(-1)
  if (last === undefined) return 'ahead'
  try {
    await take(parts, from, last.position, facts)
  } catch (err) {
    if (isPassing(err)) throw err
    await takeOneByOne(parts, from, facts)
  }
  return 'taken'
}

/** Resources of later facts do not show yet what these tell. */
const upTo = (horizon: string | null, facts: readonly Fact[]): readonly Fact[] =>
  horizon === null ? facts : facts.filter(({ position }) => !isAfter(position, horizon))

/** Positions of facts are `<transaction>:<id>`. */
export function isAfter(position: string, other: string): boolean {
  const [xid, id] = numbersOf(position)
  const [otherXid, otherId] = numbersOf(other)
  return xid > otherXid || (xid === otherXid && id > otherId)
}

function numbersOf(position: string): readonly [bigint, bigint] {
  const [xid, id] = position.split(':')
  return [BigInt(xid || '0'), BigInt(id ?? '0')]
}

async function takeOneByOne(parts: SubscriptionParts, from: string, facts: readonly Fact[]): Promise<void> {
  const { engine } = parts
  let at = from
  for (const fact of facts) {
    const { tenant, type, position } = fact
    try {
      await take(parts, at, position, [fact])
    } catch (err) {
      if (isPassing(err)) throw err
      await engine.db.asEngine((tx) => engine.db.moveCursor(tx, subscriptionsCursor, at, position))
      setAside(engine.watch.metrics).inc({ type })
      engine.watch.log.error({ err, tenant, type, position }, 'no event could be made of this fact: it was set aside')
    }
    at = position
  }
}

/** A fact that some topic is about. */
interface Candidate {
  readonly fact: Fact
  readonly topic: TopicCode
  readonly type: string
  readonly rid: string
}

/** One organisation's part of a batch, with all that must be got before the transaction. */
interface Prepared {
  readonly tenant: string
  readonly candidates: readonly Candidate[]
  readonly listeners: readonly Listener[]
}

interface Listener {
  readonly id: string
  readonly body: SubscriptionBody
  readonly asked: Asked
}

async function take(parts: SubscriptionParts, from: string, to: string, facts: readonly Fact[]): Promise<void> {
  const { engine } = parts
  const prepared: Prepared[] = []
  for (const [tenant, own] of Map.groupBy(facts, (fact) => fact.tenant)) {
    const found = await prepare(parts, tenant, own)
    if (found !== null) prepared.push(found)
  }
  await engine.db.asEngine(async (tx) => {
    await engine.db.moveCursor(tx, subscriptionsCursor, from, to)
    for (const each of prepared) await tx.asTenant(each.tenant, (tenantTx) => writeEvents(parts, tenantTx, each))
    for (const fact of facts.filter(isOfSubscription))
      await tx.asTenant(fact.tenant, (tenantTx) => forgetDeleted(parts, tenantTx, fact.body.rid))
  })
}

async function prepare(parts: SubscriptionParts, tenant: string, facts: readonly Fact[]): Promise<Prepared | null> {
  const told = facts.flatMap((fact) => {
    const event = eventOf(fact)
    return event === null ? [] : [{ fact, ...event }]
  })
  if (told.length === 0) return null
  const topics = [...new Set(told.map(({ topic }) => topic))]
  const rows = await parts.engine.db.asTenant(tenant, (tx) => liveOn(tx, topics))
  if (rows.length === 0) return null
  const listeners: Listener[] = []
  for (const row of rows) {
    const body = await openBody(parts.engine, { tenant, id: row.id }, row)
    const asked = await askedBy(parts, tenant, row, body)
    if (asked !== null) listeners.push({ id: row.id, body, asked })
    else await stopFor(parts, tenant, row.id)
  }
  const candidates: Candidate[] = []
  for (const { fact, topic, focus } of told)
    candidates.push({
      ...{ fact, topic, type: focus.type },
      rid: 'rid' in focus ? focus.rid : await parts.clinical.ridOf(tenant, focus.type, focus.id),
    })
  return { tenant, candidates, listeners }
}

const isOfSubscription = (fact: Fact): fact is Fact<'ClinicalChanged'> =>
  fact.type === 'ClinicalChanged' && (fact.body as Fact<'ClinicalChanged'>['body']).kind === 'Subscription'

/** Its events go with it. */
async function forgetDeleted({ engine, clinical }: SubscriptionParts, tx: TenantTx, id: string): Promise<void> {
  if ((await clinical.openAll(tx, [id])).has(id)) return
  const { numDeletedRows } = await tableOf(tx).deleteFrom('subscription').where('id', '=', id).executeTakeFirstOrThrow()
  if (numDeletedRows > 0n) await engine.timers.cancel(tx, subscriptionTimer, id)
}

/** Whoever subscribed is gone: there is nobody to tell. */
const stopFor = (parts: SubscriptionParts, tenant: string, id: string): Promise<void> =>
  parts.engine.db.asTenant(tenant, async (tx) => {
    const row = await lockSubscription(tx, id)
    if (row !== undefined && keepsEvents(row.status)) await stopGone(parts, tx, row)
  })

const liveOn = (tx: TenantTx, topics: readonly TopicCode[]): Promise<SubscriptionRow[]> =>
  tableOf(tx)
    .selectFrom('subscription')
    .selectAll()
    .where('topic', 'in', [...topics])
    .where('status', 'in', ['active', 'error'])
    .orderBy('id')
    .execute()

async function writeEvents(parts: SubscriptionParts, tx: TenantTx, { candidates, listeners }: Prepared): Promise<void> {
  const ids = listeners.map(({ id }) => id)
  if (ids.length === 0) return
  // Locked in one order; what was stopped meanwhile hears nothing any more.
  const subscriptions = tableOf(tx).selectFrom('subscription').selectAll().where('id', 'in', ids).orderBy('id')
  const rows = new Map((await subscriptions.forUpdate().execute()).map((row) => [row.id, row]))
  const stored = await parts.clinical.openAll(tx, [...new Set(candidates.map(({ rid }) => rid))])
  for (const listener of listeners) {
    const row = rows.get(listener.id)
    if (row === undefined || !keepsEvents(row.status)) continue
    const own = candidates.filter(({ topic }) => topic === row.topic)
    await tell(parts, tx, row, await heard(parts, tx, listener, own, stored))
  }
}

/** Those that the subscription is about and its owner may know of. */
async function heard(
  parts: SubscriptionParts,
  tx: TenantTx,
  { body, asked }: Listener,
  candidates: readonly Candidate[],
  stored: ReadonlyMap<string, Stored>,
): Promise<(Candidate & { readonly stored: Stored })[]> {
  const meant = candidates.flatMap((candidate) => {
    const found = stored.get(candidate.rid)
    return found !== undefined && isMeant(parts, body, found) ? [{ ...candidate, stored: found }] : []
  })
  if (meant.length === 0) return []
  const known = await asked.knowing.known(tx, [...new Set(meant.map((each) => each.stored))])
  const rids = new Set(known.map((each) => each.stored.rid))
  return meant.filter(({ rid }) => rids.has(rid))
}

/** What is deleted has nothing left to be filtered by: it is told to who asked for all of its type. */
function isMeant(parts: SubscriptionParts, { filters }: SubscriptionBody, stored: Stored): boolean {
  if (filters.some(({ type }) => type !== stored.type)) return false
  if (stored.isDeleted) return filters.every(({ pairs }) => pairs.length === 0)
  return filters.every((filter) => filter.pairs.length === 0 || parts.meets(stored, filter))
}

async function tell(
  { engine }: SubscriptionParts,
  tx: TenantTx,
  row: SubscriptionRow,
  heard: readonly (Candidate & { readonly stored: Stored })[],
): Promise<void> {
  if (heard.length === 0) return
  const before = Number(row.events)
  const values = heard.map(({ fact, type, rid, stored }, at) => ({
    ...{ subscription_id: row.id, number: before + at + 1, fact: fact.position, at: fact.at },
    ...{ type, rid, subject_id: stored.subject },
  }))
  await tableOf(tx).insertInto('subscription_event').values(values).execute()
  await changeSubscription(tx, row.id, { events: before + heard.length })
  tx.afterCommit(() => eventsTotal(engine.watch.metrics).inc({ topic: row.topic }, heard.length))
  if (isIdle(row, engine.clock.now())) await setTimer(engine, tx, row.id, engine.clock.now())
}

/** Nobody talks to its endpoint and nothing waits to be tried again: whoever ends that looks for what is new. */
const isIdle = (row: SubscriptionRow, now: number): boolean =>
  row.status === 'active' && row.failures === 0 && (toMsOrNull(row.in_hand_until) ?? 0) <= now
