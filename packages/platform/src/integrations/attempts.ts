/** Attempts as rows: begun before the mail server is asked, handed before it may have the message, ended with how. */
import type { TenantTx } from '../engine/index.ts'
import type { AttemptRow, IntegrationsTables, Outcome } from './schema.ts'

export async function beginAttempt(tx: TenantTx, intent: string, number: number, at: number): Promise<void> {
  const values = { intent_id: intent, number, begun_at: at }
  await tx.tables<IntegrationsTables>().insertInto('delivery_attempt').values(values).execute()
}

export async function lastAttempt(tx: TenantTx, intent: string): Promise<AttemptRow | undefined> {
  const attempts = tx.tables<IntegrationsTables>().selectFrom('delivery_attempt').selectAll()
  return attempts.where('intent_id', '=', intent).orderBy('number', 'desc').limit(1).executeTakeFirst()
}

export const markHanded = (tx: TenantTx, intent: string, number: number, at: number): Promise<void> =>
  update(tx, intent, number, { handed_at: at })

export const endAttempt = (
  tx: TenantTx,
  intent: string,
  number: number,
  ended: { readonly at: number; readonly outcome: Outcome; readonly detail: string | null },
): Promise<void> => update(tx, intent, number, { ended_at: ended.at, outcome: ended.outcome, detail: ended.detail })

interface Columns {
  handed_at?: number
  ended_at?: number
  outcome?: Outcome
  detail?: string | null
}

async function update(tx: TenantTx, intent: string, number: number, columns: Columns): Promise<void> {
  await tx
    .tables<IntegrationsTables>()
    .updateTable('delivery_attempt')
    .set(columns)
    .where('intent_id', '=', intent)
    .where('number', '=', number)
    .where('ended_at', 'is', null)
    .execute()
}
