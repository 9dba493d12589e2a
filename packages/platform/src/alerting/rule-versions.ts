/** Versions of a rule: each new definition is a row that never changes, so that an alert of years ago still says by what it was raised. */
import { createHash } from 'node:crypto'
import type { ProgramRule } from '@careloop/rules'
import type { Selectable } from 'kysely'
import { record } from '../audit/index.ts'
import type { DataKey, TenantTx } from '../engine/index.ts'
import type { By } from '../subjects/index.ts'
import type { AlertingTables } from './schema.ts'

export type RuleRow = Selectable<AlertingTables['rule']>

export interface NewestVersion {
  readonly version: number
  readonly sha256: Buffer
  readonly definition: ProgramRule
}

export const newestVersion = (tx: TenantTx, rule: string): Promise<NewestVersion | undefined> =>
  tx
    .tables<AlertingTables>()
    .selectFrom('rule_version')
    .select(['version', 'sha256', 'definition'])
    .where('rule_id', '=', rule)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()

/** Writes a definition as the next version. The caller holds the rule's row. @returns its number */
export async function addVersion(
  tx: TenantTx,
  by: By,
  rule: string,
  after: number,
  definition: ProgramRule,
  now: number,
): Promise<number> {
  const version = after + 1
  await tx
    .tables<AlertingTables>()
    .insertInto('rule_version')
    .values({
      ...{ rule_id: rule, version, definition: JSON.stringify(definition), sha256: digestOf(definition) },
      ...{ activated_at: now, activated_by: by.actor },
    })
    .execute()
  return version
}

export const digestOf = (definition: ProgramRule): Buffer =>
  createHash('sha256').update(canonicalJson(definition)).digest()

/** JSON with keys in order: jsonb gives them back in another order, and that is no new version. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )

/** Makes a version stand for all subjects of the program, from this place of the log on. */
export async function makeActive(tx: TenantTx, by: By, rule: string, version: number): Promise<void> {
  await tx
    .tables<AlertingTables>()
    .updateTable('rule')
    .set({ active_version: version, switched_off: false, unreachable_since: null })
    .where('id', '=', rule)
    .execute()
  await tx.publish({ type: 'RuleActivated', rule, version })
  await record(tx, { actor: by.actor, action: 'execute', resource: 'rule', id: rule, requestId: by.requestId })
}

export type RuleChange = AlertingTables['rule_change']['what']

const aadOf = (tenant: string, rule: string) => `rule-change:${tenant}:${rule}`

export interface NotedChange {
  readonly rule: string
  readonly what: RuleChange
  readonly version: number
  readonly at: number
  /** Free text: sealed. */
  readonly reason?: string
}

/** Who changed a rule, and why. @param key the tenant's */
export async function noteChange(tx: TenantTx, by: By, key: DataKey, change: NotedChange): Promise<void> {
  const { rule, what, version, at, reason } = change
  const sealed = reason === undefined ? null : key.seal(Buffer.from(reason), aadOf(tx.tenant, rule))
  await tx
    .tables<AlertingTables>()
    .insertInto('rule_change')
    .values({
      ...{ rule_id: rule, what, version, at, actor: by.actor },
      ...{ reason: sealed, key_id: sealed === null ? null : key.id },
    })
    .execute()
}

export const openReason = (key: DataKey, tenant: string, rule: string, sealed: Uint8Array): string =>
  key.open(sealed, aadOf(tenant, rule)).toString()
