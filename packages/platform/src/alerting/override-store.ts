/** Overrides as rows: what is sealed in them, and what evaluators and pages read of them. */
import type { LimitEdit } from '@careloop/contract'
import type { LimitChange } from '@careloop/rules'
import type { Selectable } from 'kysely'
import type { DataKey, Engine, TenantTx } from '../engine/index.ts'
import { type AlertingTables, toMs } from './schema.ts'

export type OverrideRow = Selectable<AlertingTables['rule_override']>

/** Sealed under the subject's key: limits of a person, and free text. */
export interface OverrideContent {
  /** In canonical units. */
  readonly changes: readonly LimitChange[]
  /** As they were entered. */
  readonly limits: readonly LimitEdit[]
  readonly reason: string
}

/** An override, opened: PHI. */
export interface Override extends OverrideContent {
  readonly id: string
  readonly subject: string
  readonly rule: string
  /** As in the audit trail. */
  readonly author: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly endedAt: number | null
}

const aadOf = (tenant: string, id: string) => `rule-override:${tenant}:${id}`

export const sealContent = (key: DataKey, tenant: string, id: string, content: OverrideContent): Buffer =>
  key.seal(Buffer.from(JSON.stringify(content)), aadOf(tenant, id))

/** @throws Failure `key-destroyed` when the subject was erased */
export async function openOverride(engine: Engine, tenant: string, row: OverrideRow): Promise<Override> {
  const key = await engine.keys.key(row.key_id)
  const content = JSON.parse(key.open(row.body, aadOf(tenant, row.id)).toString()) as OverrideContent
  return {
    ...content,
    ...{ id: row.id, subject: row.subject_id, rule: row.rule_id, author: row.author },
    ...{ createdAt: toMs(row.created_at), expiresAt: toMs(row.expires_at) },
    endedAt: row.ended_at === null ? null : toMs(row.ended_at),
  }
}

/** Of one subject, newest first, ended ones too. */
export const overrideRows = (tx: TenantTx, subject: string): Promise<OverrideRow[]> =>
  tx
    .tables<AlertingTables>()
    .selectFrom('rule_override')
    .selectAll()
    .where('subject_id', '=', subject)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()

/** Those that stand for these subjects: at most one of each rule and subject. What expired stands until it is ended, within a minute. */
export const standingRows = async (tx: TenantTx, subjects: readonly string[]): Promise<OverrideRow[]> =>
  (
    await tx.client.query<OverrideRow>(
      'select * from tenant.rule_override where tenant_id = $1 and subject_id = any($2::uuid[]) and ended_at is null',
      [tx.tenant, subjects],
    )
  ).rows

export const overrideRow = (tx: TenantTx, id: string): Promise<OverrideRow | undefined> =>
  tx.tables<AlertingTables>().selectFrom('rule_override').selectAll().where('id', '=', id).executeTakeFirst()
