/**
 * Notifications to one endpoint, in order, at least once. Three short transactions, none of which waits for the endpoint: begin (the
 * timer fires: the conversation is counted, and a timer is set as a net in case that this process ends), compose (asked again what
 * may be told, and to whom), end (how it went). A conversation that comes late finds its number taken and changes nothing.
 */
import { Failure } from '@careloop/contract'
import { writeFhir } from '@careloop/fhir'
import type { EngineTx, FiredTimer, TenantTx } from '../../engine/index.ts'
import { givesUpAfterMs, handshakeGivesUpAfterMs, waitMs } from './backoff.ts'
import { type Composed, compose } from './compose.ts'
import type { NotificationKind } from './notification.ts'
import { askedBy } from './owners.ts'
import type { SubscriptionParts } from './parts.ts'
import { type EventRow, type SubscriptionRow, type Trouble, toMs, toMsOrNull } from './schema.ts'
import { openBody } from './sealed-body.ts'
import { notificationSeconds, notificationsTotal } from './subscription-metrics.ts'
import {
  changeSubscription,
  findSubscription,
  fresh,
  lockSubscription,
  nextAt,
  setTimer,
  stopGone,
  subscriptionTimer,
  tableOf,
  turn,
} from './subscription-rows.ts'

/** Longer than any conversation lasts: what has not ended by then has no process any more, ms. */
export const netMs = 60_000

/** A conversation that was counted. */
export interface Begun {
  readonly tenant: string
  readonly id: string
  readonly attempt: number
  readonly kind: NotificationKind
}

/** The timer fired, in its transaction. @returns what is to be said once that is committed; null = nothing now */
export async function beginDelivery(parts: SubscriptionParts, fired: FiredTimer, tx: EngineTx): Promise<Begun | null> {
  const { tenant, subscription } = fired.ids as { tenant: string; subscription: string }
  return tx.asTenant(tenant, async (tenantTx) => {
    const row = await lockSubscription(tenantTx, subscription)
    if (row === undefined || row.status === 'off' || row.status === 'error') return null
    return begin(parts, tenantTx, row)
  })
}

async function begin(parts: SubscriptionParts, tx: TenantTx, row: SubscriptionRow): Promise<Begun | null> {
  const { engine } = parts
  const now = engine.clock.now()
  const at = (ms: number) => setTimer(engine, tx, row.id, ms).then(() => null)
  if (row.end_at !== null && toMs(row.end_at) <= now) {
    await turn(parts, tx, row, { status: 'off', reason: 'ended', ...fresh })
    return null
  }
  const held = toMsOrNull(row.in_hand_until)
  if (held !== null && held > now) return at(held)
  const again = toMsOrNull(row.next_try_at)
  if (again !== null && again > now) return at(again)
  const kind = dueKind(row, now)
  if (kind === null) {
    const next = nextAt(row, now)
    return next === null ? null : at(next)
  }
  const attempt = Number(row.attempt) + 1
  await changeSubscription(tx, row.id, { attempt, in_hand_until: now + netMs })
  await setTimer(engine, tx, row.id, now + netMs)
  return { tenant: tx.tenant, id: row.id, attempt, kind }
}

function dueKind(row: SubscriptionRow, now: number): NotificationKind | null {
  if (row.status === 'requested') return 'handshake'
  if (Number(row.delivered) < Number(row.events)) return 'event-notification'
  if (row.heartbeat_ms === null) return null
  return (toMsOrNull(row.told_at) ?? 0) + toMs(row.heartbeat_ms) <= now ? 'heartbeat' : null
}

/** Says what was begun. Fails only when the database is away: then the net goes on. */
export async function deliver(parts: SubscriptionParts, begun: Begun): Promise<void> {
  await parts.fault?.('begun')
  const letter = await write(parts, begun)
  if (letter === null) return
  await parts.fault?.('composed')
  const said = await post(parts, letter)
  if (said.trouble === null) await parts.fault?.('taken')
  await parts.engine.db.asTenant(begun.tenant, async (tx) => {
    const row = await lockSubscription(tx, begun.id)
    // Another process took over after the net had fired, or somebody asked for a fresh beginning.
    if (row === undefined || Number(row.attempt) !== begun.attempt || row.in_hand_until === null) return
    if (said.trouble === null) await succeed(parts, tx, row, { letter, kind: begun.kind })
    else await fail(parts, tx, row, begun, said)
  })
  notificationsTotal(parts.engine.watch.metrics).inc({ kind: begun.kind, outcome: said.trouble ?? 'accepted' })
}

interface Letter {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly composed: Composed
  readonly events: readonly EventRow[]
}

/** From its commit on the endpoint may have it. @returns null when there is nobody to tell any more */
async function write(parts: SubscriptionParts, begun: Begun): Promise<Letter | null> {
  const { engine } = parts
  const { tenant, id } = begun
  const before = await engine.db.asTenant(tenant, (tx) => findSubscription(tx, id))
  if (before === undefined) return null
  const body = await openBody(engine, { tenant, id }, before)
  const asked = await askedBy(parts, tenant, before, body)
  return engine.db.asTenant(tenant, async (tx) => {
    const row = await lockSubscription(tx, id)
    if (row === undefined || Number(row.attempt) !== begun.attempt || row.in_hand_until === null) return null
    if (asked === null) {
      await stopGone(parts, tx, row)
      return null
    }
    const events = begun.kind === 'event-notification' ? await eventsAfter(tx, row) : []
    const composed = await compose(parts, tx, { row, body, asked, kind: begun.kind, events, content: row.payload })
    return {
      ...{ endpoint: body.endpoint, timeoutMs: row.timeout_ms, composed, events },
      headers: { ...Object.fromEntries(body.headers), ...composed.headers, 'content-type': 'application/fhir+json' },
    }
  })
}

const eventsAfter = (tx: TenantTx, row: SubscriptionRow): Promise<EventRow[]> =>
  tableOf(tx)
    .selectFrom('subscription_event')
    .selectAll()
    .where('subscription_id', '=', row.id)
    .where('number', '>', row.delivered)
    .orderBy('number')
    .limit(row.max_count)
    .execute()

interface Said {
  /** Null: it took it. */
  readonly trouble: Trouble | null
  /** Retry-After, ms. */
  readonly askedMs: number | null
}

async function post({ fetch }: SubscriptionParts, letter: Letter): Promise<Said> {
  const { endpoint, headers, composed, timeoutMs } = letter
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await fetch(endpoint, { method: 'POST', headers, body: writeFhir(composed.bundle), signal })
    return { trouble: troubleOf(answer.status), askedMs: askedIn(answer.headers.get('retry-after')) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { trouble: error.code === 'outbound-url-refused' ? 'refused-address' : 'unreachable', askedMs: null }
  }
}

function troubleOf(status: number): Trouble | null {
  if (status >= 200 && status < 300) return null
  if (status >= 400 && status < 500) return 'answered-4xx'
  return status >= 500 ? 'answered-5xx' : 'answered-other'
}

const askedIn = (header: string | null): number | null =>
  header !== null && /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : null

async function succeed(
  parts: SubscriptionParts,
  tx: TenantTx,
  row: SubscriptionRow,
  { letter, kind }: { readonly letter: Letter; readonly kind: NotificationKind },
): Promise<void> {
  const { engine } = parts
  const now = engine.clock.now()
  const last = letter.events.at(-1)
  // Numbers without a row are those of more than a month ago.
  const delivered =
    last !== undefined
      ? Number(last.number)
      : kind === 'event-notification'
        ? Number(row.events)
        : Number(row.delivered)
  const told = { ...fresh, delivered, told_at: now }
  if (row.status === 'requested')
    await turn(parts, tx, row, { ...told, status: 'active', reason: null, activated_at: now, trouble: null })
  else await changeSubscription(tx, row.id, told)
  const next = await findSubscription(tx, row.id)
  const at = delivered < Number(row.events) ? now : next === undefined ? null : nextAt(next, now)
  if (at === null) await engine.timers.cancel(tx, subscriptionTimer, row.id)
  else await setTimer(engine, tx, row.id, at)
  tx.afterCommit(() => {
    for (const event of letter.events) notificationSeconds(engine.watch.metrics).observe((now - toMs(event.at)) / 1_000)
  })
}

async function fail(
  parts: SubscriptionParts,
  tx: TenantTx,
  row: SubscriptionRow,
  { kind }: Begun,
  { trouble, askedMs }: Said,
): Promise<void> {
  const { engine } = parts
  const now = engine.clock.now()
  const since = toMsOrNull(row.failing_since) ?? now
  const failures = row.failures + 1
  const failed = { trouble, trouble_at: now, in_hand_until: null, failures, failing_since: since }
  const isHandshake = kind === 'handshake'
  // An address that is not called is not called later either: whoever subscribes hears it at once.
  const isHopeless = isHandshake && trouble === 'refused-address'
  const isOver = isHopeless || now - since >= (isHandshake ? handshakeGivesUpAfterMs : givesUpAfterMs)
  const told = { tenant: tx.tenant, subscription: row.id, kind, trouble, failures }
  if (isOver) {
    const reason = trouble === 'refused-address' ? 'refused' : isHandshake ? 'handshake-failed' : 'undelivered'
    await turn(parts, tx, row, { ...failed, next_try_at: null, status: 'error', reason })
    await engine.timers.cancel(tx, subscriptionTimer, row.id)
    await tx.publish({ type: 'SubscriptionFailed', subscription: row.id, reason })
    engine.watch.log.error(told, 'the endpoint of a subscription took nothing for too long: it is in error')
    return
  }
  const next = now + waitMs(failures, askedMs)
  await changeSubscription(tx, row.id, { ...failed, next_try_at: next })
  await setTimer(engine, tx, row.id, next)
  engine.watch.log.warn(
    { ...told, nextTryInMs: next - now },
    'the endpoint of a subscription did not take a notification; trying again',
  )
}
