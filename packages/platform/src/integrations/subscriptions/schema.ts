/** Tables of subscriptions as Kysely sees them. `bigint` columns come as text from the driver: see `toMs`. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { Content } from './read-subscription.ts'
import type { Status } from './status.ts'
import type { TopicCode } from './topics.ts'

type Whole = ColumnType<string, number, number>
type Counted = ColumnType<string, number | undefined, number>
type Perhaps = ColumnType<string | null, number | null | undefined, number | null>

export const toMs = (column: string): number => Number(column)
export const toMsOrNull = (column: string | null): number | null => (column === null ? null : Number(column))

/** Why it is in error or off. */
export type Reason = 'handshake-failed' | 'undelivered' | 'refused' | 'owner-gone' | 'ended' | 'asked'

/** What went wrong with the last notification, without a word of the other side. */
export type Trouble = 'unreachable' | 'refused-address' | 'answered-4xx' | 'answered-5xx' | 'answered-other' | 'cut-off'

export interface SubscriptionTables {
  subscription: {
    tenant_id: Generated<string>
    /** Rid of the Subscription. */
    id: string
    /** Actor. */
    owner: string
    status: Status
    reason: Reason | null
    topic: TopicCode
    payload: Content
    heartbeat_ms: Perhaps
    timeout_ms: number
    max_count: number
    end_at: Perhaps
    created_at: Whole
    changed_at: Whole
    activated_at: Perhaps
    events: Counted
    delivered: Counted
    attempt: Counted
    in_hand_until: Perhaps
    failures: ColumnType<number, number | undefined, number>
    failing_since: Perhaps
    next_try_at: Perhaps
    told_at: Perhaps
    trouble: ColumnType<Trouble | null, Trouble | null | undefined, Trouble | null>
    trouble_at: Perhaps
    key_id: string
    /** `SubscriptionBody`, sealed. */
    body: Buffer
  }
  subscription_event: {
    tenant_id: Generated<string>
    subscription_id: string
    number: Whole
    fact: string
    at: Whole
    type: string
    rid: string | null
    subject_id: string | null
    disclosed_at: Perhaps
  }
}

export type SubscriptionRow = Selectable<SubscriptionTables['subscription']>
export type EventRow = Selectable<SubscriptionTables['subscription_event']>
