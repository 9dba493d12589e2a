/** What an endpoint is told of events, asked anew when it goes out: who may no longer know of something is told its number only. */
import { redisclosureMark } from '@careloop/contract'
import { type FhirTree, parseFhir } from '@careloop/fhir'
import { record } from '../../audit/index.ts'
import type { TenantTx } from '../../engine/index.ts'
import type { By } from '../../subjects/index.ts'
import { type NotificationKind, notificationBundle, type Told, type ToldEvent } from './notification.ts'
import type { Asked } from './owners.ts'
import type { Known, SubscriptionParts } from './parts.ts'
import type { Content } from './read-subscription.ts'
import { type EventRow, type SubscriptionRow, toMs } from './schema.ts'
import type { SubscriptionBody } from './sealed-body.ts'
import { tableOf, words } from './subscription-rows.ts'
import { canonicalOf, topics } from './topics.ts'

export interface Composed {
  readonly bundle: FhirTree
  /** 42 CFR Part 2: beside what is labelled. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Composing {
  readonly row: SubscriptionRow
  readonly body: SubscriptionBody
  readonly asked: Asked
  readonly kind: NotificationKind
  readonly events: readonly EventRow[]
  readonly content: Content
}

/** In the transaction that reads what goes out; with its audit entry, and its place in the accounting of disclosures. */
export async function compose(parts: SubscriptionParts, tx: TenantTx, composing: Composing): Promise<Composed> {
  const { row, events, content, kind, body } = composing
  const { engine, base } = parts
  const known = content === 'empty' ? new Map<string, Known>() : await knownOf(parts, tx, composing)
  const shown = events.map((event): ToldEvent => {
    const found = event.rid === null ? undefined : known.get(event.rid)
    return { number: Number(event.number), at: toMs(event.at), focus: found === undefined ? null : focusOf(found) }
  })
  await account(parts, tx, composing, known)
  const isNoticed = [...known.values()].some((each) => each.isNoticed)
  return {
    bundle: notificationBundle(toldOf(row, body, kind, base), shown, {
      ...{ content, at: engine.clock.now(), uuid: engine.ids.uuid() },
    }),
    headers: isNoticed ? { 'careloop-notice': redisclosureMark } : {},
  }
}

export const toldOf = (row: SubscriptionRow, body: SubscriptionBody, kind: NotificationKind, base: string): Told => {
  const trouble = row.reason === null ? undefined : words[row.reason]
  return {
    ...{ kind, base, id: body.fhirId, topic: canonicalOf(row.topic), status: row.status, events: Number(row.events) },
    ...(trouble === undefined ? {} : { trouble }),
  }
}

async function knownOf(
  parts: SubscriptionParts,
  tx: TenantTx,
  { events, asked }: Composing,
): Promise<Map<string, Known>> {
  const rids = [...new Set(events.flatMap(({ rid }) => rid ?? []))]
  const stored = await parts.clinical.openAll(tx, rids)
  const there = [...stored.values()].filter(({ isDeleted }) => !isDeleted)
  return new Map((await asked.knowing.known(tx, there)).map((known) => [known.stored.rid, known]))
}

const focusOf = ({ stored }: Known) => ({ type: stored.type, id: stored.id, tree: parseFhir(stored.text) })

/** One entry of the trail for each person told of; of what leaves the organisation, each event stands in their accounting once. */
async function account(
  parts: SubscriptionParts,
  tx: TenantTx,
  { row, events, asked: { by }, content }: Composing,
  known: ReadonlyMap<string, Known>,
): Promise<void> {
  const subjects = [...new Set([...known.values()].flatMap(({ stored }) => stored.subject ?? []))]
  const entry = { actor: by.actor, action: 'export', resource: 'subscription', id: row.id } as const
  if (events.length > 0) await record(tx, { ...entry, subjects })
  const now = parts.engine.clock.now()
  const numbers: string[] = []
  for (const event of events) {
    const found = event.rid === null ? undefined : known.get(event.rid)
    // Told again to the same, because an answer was lost, it is the same disclosure.
    const isToldBefore = event.disclosed_at !== null && by.actor === row.owner
    if (found === undefined || !found.isOutside || isToldBefore || found.stored.subject === null) continue
    await disclose(parts, tx, by, row, found, content)
    numbers.push(event.number)
  }
  if (numbers.length === 0) return
  const table = tableOf(tx).updateTable('subscription_event').set({ disclosed_at: now })
  await table.where('subscription_id', '=', row.id).where('number', 'in', numbers).execute()
}

const disclose = (
  { consents }: SubscriptionParts,
  tx: TenantTx,
  by: By,
  row: SubscriptionRow,
  { stored, consent, isNoticed }: Known,
  content: Content,
): Promise<string> =>
  consents.disclose(tx, by, {
    ...{ subject: stored.subject!, purpose: 'TREAT', consent },
    recipient: {
      kind: 'integration',
      id: by.who?.kind === 'service' ? by.who.id : null,
    },
    what: {
      description: `${topics.find(({ code }) => code === row.topic)!.title}: ${stored.type}${content === 'full-resource' ? '' : ', its id'}`,
      ...{ labels: isNoticed ? ['ETH', 'SUD'] : [], noticed: isNoticed },
    },
  })
