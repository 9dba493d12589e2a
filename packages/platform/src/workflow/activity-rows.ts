/** Activities as rows: times under opaque ids, and sealed what it was. */
import type { ActivityBody, ActivityKind, ContactMode } from '@careloop/contract'
import type { Selectable } from 'kysely'
import { staffRef } from '../alerting/index.ts'
import type { DataKey, Engine, TenantTx } from '../engine/index.ts'
import { type ActivityTable, toMs, type WorkflowTables } from './schema.ts'

export type ActivityRow = Selectable<ActivityTable>

/** What is sealed under the subject's key: coded content of a person's record, and free words. */
export interface ActivityWords {
  readonly kind: ActivityKind
  readonly contact: ContactMode
  readonly note: string
  /** Of a correction. */
  readonly reason?: string
}

/** A page that was not heard for so long does not come back to its entry: it ended when it was last heard. ms */
export const silenceMs = 5 * 60_000

/** It never ended, and its page fell silent: a crash, a closed lid. */
export const isLost = (row: ActivityRow, now: number): boolean => !row.ended && now - toMs(row.heard_at) > silenceMs

const aadOf = (tenant: string, id: string) => `activity:${tenant}:${id}`

export const sealWords = (key: DataKey, tenant: string, id: string, words: ActivityWords): Buffer =>
  key.seal(Buffer.from(JSON.stringify(words)), aadOf(tenant, id))

export async function openWords(engine: Engine, tenant: string, row: ActivityRow): Promise<ActivityWords> {
  const key = await engine.keys.key(row.key_id)
  return JSON.parse(key.open(row.body, aadOf(tenant, row.id)).toString()) as ActivityWords
}

export const lockActivity = (tx: TenantTx, id: string): Promise<ActivityRow | undefined> =>
  tx.tables<WorkflowTables>().selectFrom('activity').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()

export function activityBody(
  row: ActivityRow,
  words: ActivityWords,
  staff: ReadonlyMap<string, string>,
  now: number,
): ActivityBody {
  const lost = isLost(row, now)
  return {
    ...{ id: row.id, subject: row.subject_id, by: staffRef(staff, row.staff_id) },
    ...(row.task_id === null ? {} : { task: row.task_id }),
    ...{ from: toMs(row.from_at), to: toMs(row.to_at), ...words, source: row.source, ended: row.ended || lost },
    ...(lost ? { lost } : {}),
    ...(row.recorded_by === row.staff_id ? {} : { recordedBy: staffRef(staff, row.recorded_by) }),
    ...(row.corrects === null ? {} : { corrects: row.corrects }),
    ...(row.corrected_by === null ? {} : { correctedBy: row.corrected_by }),
    ...{ localDate: row.local_date, timeZone: row.time_zone },
  }
}
