/** Emergency access as rows. */
import type { BreakGlassAccess } from '@careloop/contract'
import type { DataKey, Engine, TenantTx } from '../../engine/index.ts'
import type { BreakGlassRow, ReviewTables } from '../reviews/schema.ts'
import { toMs } from '../schema.ts'

export const accessOf = (row: BreakGlassRow): BreakGlassAccess => ({
  ...{ id: row.id, subject: row.subject_id, reason: row.reason },
  ...{ openedAt: toMs(row.opened_at), untilAt: toMs(row.until_at) },
})

/** Of one person, those that stand now; the one that ends last comes first. */
export async function standingOf(tx: TenantTx, user: string, now: number): Promise<BreakGlassAccess[]> {
  const rows = await tx
    .tables<ReviewTables>()
    .selectFrom('break_glass')
    .selectAll()
    .where('user_id', '=', user)
    .where('until_at', '>', String(now))
    .where('ended_at', 'is', null)
    .orderBy('until_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(accessOf)
}

/** For who reviews it. */
export async function readAccess(tx: TenantTx, id: string) {
  const query = tx.tables<ReviewTables>().selectFrom('break_glass').selectAll().where('id', '=', id)
  const row = await query.executeTakeFirst()
  if (row === undefined) return null
  return {
    ...{ openedAt: toMs(row.opened_at), untilAt: toMs(row.until_at) },
    endedAt: row.ended_at === null ? null : toMs(row.ended_at),
    /** Null when the patient was erased: what was said of them is gone with them. */
    words: (engine: Engine): Promise<string | null> => openWords(engine, tx.tenant, row),
  }
}

export const sealWords = (key: DataKey, tenant: string, id: string, words: string): Buffer =>
  key.seal(Buffer.from(words), aadOf(tenant, id))

async function openWords(engine: Engine, tenant: string, row: BreakGlassRow): Promise<string | null> {
  try {
    return (await engine.keys.key(row.key_id)).open(row.words, aadOf(tenant, row.id)).toString()
  } catch (error) {
    if ((error as { code?: string }).code === 'key-destroyed') return null
    throw error
  }
}

const aadOf = (tenant: string, id: string): string => `break-glass-words:${tenant}:${id}`
