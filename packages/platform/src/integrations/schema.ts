/** Tables of the integrations room as Kysely sees them. */
import type { ColumnType, Generated, Selectable } from 'kysely'

type Ms = ColumnType<string, number, never>
type LaterMs = ColumnType<string | null, undefined, number>

/**
 * How an attempt ended. `unknown`: cut off after the message was handed over, so it may have arrived; `interrupted`: cut off before,
 * so it has not; `withdrawn`: there was nothing to tell any more when the mail server was ready.
 */
export type Outcome = 'accepted' | 'refused' | 'unreachable' | 'unknown' | 'interrupted' | 'withdrawn'

export interface IntegrationsTables {
  delivery_attempt: {
    tenant_id: Generated<string>
    intent_id: string
    number: number
    begun_at: Ms
    /** From here on the mail server may have it. */
    handed_at: LaterMs
    ended_at: LaterMs
    outcome: ColumnType<Outcome | null, undefined, Outcome>
    detail: ColumnType<string | null, undefined, string | null>
  }
}

export type AttemptRow = Selectable<IntegrationsTables['delivery_attempt']>
