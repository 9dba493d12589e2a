/** Rows of subscriptions, and the Subscription resource as clients read it, kept in step with them. */
import { parseFhir, type Resource, toResource } from '@careloop/fhir'
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { SubscriptionParts } from './parts.ts'
import { type Reason, type SubscriptionRow, type SubscriptionTables, type Trouble, toMs, toMsOrNull } from './schema.ts'
import type { Status } from './status.ts'

/** Timers of subscriptions: key = the subscription, `{ tenant, subscription }`. One waits for each at most. */
export const subscriptionTimer = 'subscription'

export const tableOf = (tx: TenantTx) => tx.tables<SubscriptionTables>()

export const lockSubscription = (tx: TenantTx, id: string): Promise<SubscriptionRow | undefined> =>
  tableOf(tx).selectFrom('subscription').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()

export const findSubscription = (tx: TenantTx, id: string): Promise<SubscriptionRow | undefined> =>
  tableOf(tx).selectFrom('subscription').selectAll().where('id', '=', id).executeTakeFirst()

type Change = Partial<{
  readonly status: Status
  readonly reason: Reason | null
  readonly changed_at: number
  readonly activated_at: number
  readonly events: number
  readonly delivered: number
  readonly attempt: number
  readonly in_hand_until: number | null
  readonly failures: number
  readonly failing_since: number | null
  readonly next_try_at: number | null
  readonly told_at: number
  readonly trouble: Trouble | null
  readonly trouble_at: number
}>

export async function changeSubscription(tx: TenantTx, id: string, change: Change): Promise<void> {
  await tableOf(tx).updateTable('subscription').set(change).where('id', '=', id).execute()
}

/** What begins anew, when it is asked for again. */
export const fresh = { failures: 0, failing_since: null, next_try_at: null, in_hand_until: null } as const

export const setTimer = (engine: Engine, tx: TenantTx, id: string, at: number): Promise<void> =>
  engine.timers.set(tx, subscriptionTimer, { key: id, at, ids: { tenant: tx.tenant, subscription: id } })

/** When something is to be done next while nothing fails: a heartbeat, its end; null = nothing by itself. */
export function nextAt(row: SubscriptionRow, now: number): number | null {
  if (row.status !== 'active') return null
  const { heartbeat_ms: heartbeat, told_at: told, end_at: end } = row
  const times = [
    ...(heartbeat === null ? [] : [(toMsOrNull(told) ?? now) + toMs(heartbeat)]),
    ...(end === null ? [] : [toMs(end)]),
  ]
  return times.length === 0 ? null : Math.min(...times)
}

/** Says the new status in the row and in the resource. The row is locked. */
export async function turn(
  parts: Pick<SubscriptionParts, 'engine' | 'clinical'>,
  tx: TenantTx,
  { id }: Pick<SubscriptionRow, 'id'>,
  to: { readonly status: Status; readonly reason: Reason | null } & Change,
): Promise<void> {
  const now = parts.engine.clock.now()
  await changeSubscription(tx, id, { ...to, changed_at: now })
  const stored = (await parts.clinical.openAll(tx, [id])).get(id)
  if (stored === undefined || stored.isDeleted) return
  const shown = withStatus(toResource(parseFhir(stored.text)), to.status, to.reason)
  await parts.clinical.keepDerived(tx, [{ resource: shown, subject: null, isClients: true, at: now }])
}

/** Whoever subscribed, or their app, has no access any more. The row is locked. */
export async function stopGone(
  parts: Pick<SubscriptionParts, 'engine' | 'clinical'>,
  tx: TenantTx,
  row: Pick<SubscriptionRow, 'id'>,
): Promise<void> {
  await turn(parts, tx, row, { status: 'off', reason: 'owner-gone', ...fresh })
  await parts.engine.timers.cancel(tx, subscriptionTimer, row.id)
}

/** The resource under this status; in `error` stands what whoever runs the endpoint can do. */
export function withStatus(resource: Resource, status: Status, reason: Reason | null): Resource {
  const { error: _before, ...rest } = resource
  const says = reason === null ? undefined : words[reason]
  return { ...(rest as Resource), status, ...(says === undefined ? {} : { error: says }) }
}

export const words: Readonly<Record<Reason, string | undefined>> = {
  'handshake-failed':
    'The endpoint did not take the handshake. Mend it, then write the Subscription as requested again.',
  undelivered:
    'The endpoint took no notification for 72 hours. Mend it, then write the Subscription as requested again: what happened meanwhile is told then, and $events tells it now.',
  refused: 'The endpoint is not called: its address is not https, or leads inside. Give another.',
  'owner-gone': 'Whoever subscribed has no access any more.',
  ended: 'It ended at the time it was given.',
  asked: undefined,
}
