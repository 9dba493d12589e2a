/** A Subscription on its way into the record: checked, its secrets kept aside, its row made or changed, its handshake set going. */
import type { FhirObject, FhirTree, Resource } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import type { By } from '../../subjects/index.ts'
import { integrationsFailure } from '../errors.ts'
import type { SubscriptionParts } from './parts.ts'
import { readSubscription, type Wanted } from './read-subscription.ts'
import type { SubscriptionRow } from './schema.ts'
import { openBody, type SubscriptionBody, sealBody } from './sealed-body.ts'
import { askedStatus, type Status } from './status.ts'
import { fresh, lockSubscription, setTimer, subscriptionTimer, tableOf } from './subscription-rows.ts'

/** Stands in a header that is read back; sent back, it means the one that is kept. */
export const keptSecret = '********'
/** Of one organisation that are not off: each fact is held against each of them. */
export const mostSubscriptions = 200

export interface TakingSubscription {
  readonly tree: FhirTree
  readonly resource: Resource
  /** FHIR id. */
  readonly id: string
}

/**
 * In the transaction of the write.
 * @returns the resource as it is kept and read back: without secrets, with the status that the server gives it
 * @throws Failure `subscription-invalid`, `subscription-unfit`, `subscription-too-many`
 */
export async function takeSubscription(
  parts: SubscriptionParts,
  tx: TenantTx,
  by: By,
  { tree, resource, id: fhirId }: TakingSubscription,
): Promise<FhirTree> {
  assertSubscriber(by)
  const wanted = readSubscription(resource)
  const types = new Set([
    ...wanted.filters.map(({ type }) => type),
    ...(wanted.topic.type === null ? [] : [wanted.topic.type]),
  ])
  for (const type of types) parts.assertMayRead(by, type)
  for (const filter of wanted.filters) parts.assertFilter(filter)
  const id = await parts.clinical.ridOf(tx.tenant, 'Subscription', fhirId)
  const row = await lockSubscription(tx, id)
  const was = row === undefined ? null : await openBody(parts.engine, { tenant: tx.tenant, id }, row)
  const headers = headersOf(wanted, by, row, was)
  const body: SubscriptionBody = {
    ...{ fhirId, endpoint: wanted.endpoint, headers, filters: wanted.filters },
    ...(by.who !== undefined && 'app' in by.who && by.who.app !== undefined ? { app: by.who.app } : {}),
  }
  const isChanged = was === null || row === undefined || isOther(was, body) || row.payload !== wanted.content
  const status = askedStatus(wanted.status, row?.status ?? null, isChanged)
  if (status === null)
    throw integrationsFailure('subscription-invalid', 'Ask for requested: the server says when it is active.', {
      pointer: 'Subscription.status',
    })
  if (row === undefined || row.status === 'off') await assertRoom(tx, status)
  await keep(parts, tx, { id, by, row, wanted, body, status })
  return shownTree(tree, status, wanted.headers.length)
}

/** What a patient's own app may be told goes by that patient's session; a subscription lasts beyond every session. */
function assertSubscriber({ who }: By): void {
  const isPerson = who?.kind === 'staff' && who.roles.every((role) => role === 'patient' || role === 'caregiver')
  const ofPatient = (who?.kind === 'staff' || who?.kind === 'service') && who.app?.patient !== undefined
  if ((who?.kind === 'staff' || who?.kind === 'service') && !isPerson && !ofPatient) return
  throw integrationsFailure(
    'subscription-unfit',
    'A program of an organisation, or a member of its staff, subscribes; an app of one patient reads instead.',
  )
}

/** A secret goes on to the same place only: who changes the address says it again. */
function headersOf(
  { headers, endpoint }: Wanted,
  by: By,
  row: SubscriptionRow | undefined,
  was: SubscriptionBody | null,
): readonly (readonly [string, string])[] {
  return headers.map(([name, value], at) => {
    if (value !== keptSecret) return [name, value]
    const kept = was?.headers.find(([known]) => known.toLowerCase() === name.toLowerCase())
    if (kept !== undefined && was?.endpoint === endpoint && row?.owner === by.actor) return kept
    throw integrationsFailure(
      'subscription-invalid',
      'Say the value of this header: it is not known for this address.',
      {
        pointer: `Subscription.channel.header[${at}]`,
      },
    )
  })
}

const isOther = (was: SubscriptionBody, { endpoint, headers }: SubscriptionBody): boolean =>
  was.endpoint !== endpoint || JSON.stringify(was.headers) !== JSON.stringify(headers)

/** @throws Failure `subscription-too-many` */
async function assertRoom(tx: TenantTx, status: Status): Promise<void> {
  if (status === 'off') return
  const { count } = await tableOf(tx)
    .selectFrom('subscription')
    .where('status', '<>', 'off')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow()
  if (Number(count) < mostSubscriptions) return
  throw integrationsFailure(
    'subscription-too-many',
    `This organisation has ${mostSubscriptions} subscriptions. End one, or let one filter less.`,
  )
}

interface Keeping {
  readonly id: string
  readonly by: By
  readonly row: SubscriptionRow | undefined
  readonly wanted: Wanted
  readonly body: SubscriptionBody
  readonly status: Status
}

async function keep(
  parts: SubscriptionParts,
  tx: TenantTx,
  { id, by, row, wanted, body, status }: Keeping,
): Promise<void> {
  const { engine } = parts
  const now = engine.clock.now()
  const begins = status === 'requested'
  // Under another topic, or after it was off, nothing of before is owed any more.
  const isAnew = row !== undefined && (row.topic !== wanted.topic.code || row.status === 'off')
  const columns = {
    ...{ owner: by.actor, status, topic: wanted.topic.code, payload: wanted.content, changed_at: now },
    ...{
      heartbeat_ms: wanted.heartbeatMs,
      timeout_ms: wanted.timeoutMs,
      max_count: wanted.maxCount,
      end_at: wanted.endAt,
    },
    ...(status === 'error' ? {} : { reason: null }),
    ...(begins || status === 'off' ? fresh : {}),
    ...(isAnew ? { delivered: Number(row.events) } : {}),
    ...(await sealBody(engine, { tenant: tx.tenant, id }, body)),
  }
  const table = tableOf(tx)
  if (row === undefined)
    await table
      .insertInto('subscription')
      .values({ ...columns, reason: null, id, created_at: now })
      .execute()
  else await table.updateTable('subscription').set(columns).where('id', '=', id).execute()
  if (status === 'off') await engine.timers.cancel(tx, subscriptionTimer, id)
  else if (status !== 'error') await setTimer(engine, tx, id, now)
}

/** As it is kept: how long the headers are tells nothing either. */
function shownTree(tree: FhirTree, status: Status, headers: number): FhirTree {
  const { error: _said, ...rest } = tree
  const channel = tree.channel as FhirObject
  const names = headers === 0 ? [] : (channel.header as readonly string[]).map((each) => each.split(':', 1)[0]!)
  return {
    ...(rest as FhirTree),
    status,
    channel: names.length === 0 ? channel : { ...channel, header: names.map((name) => `${name}: ${keptSecret}`) },
  }
}
