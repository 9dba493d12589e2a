/** Programs as they stand in an organisation: their rules in the newest version, and what was changed here and why. */
import type { SubjectKind } from '@careloop/contract'
import type { OwnedRule, Program } from '@careloop/rules'
import type { DataKey, Engine, TenantTx } from '../engine/index.ts'
import { openReason, type RuleChange } from './rule-versions.ts'
import { type AlertingTables, type ProgramHead, toMs } from './schema.ts'

/** Kind of subject that this program is for; null when none of its rules is evaluated here. */
export const activeProgramKind = (engine: Engine, tenant: string, code: string): Promise<SubjectKind | null> =>
  engine.db.asTenant(tenant, async (tx) => {
    const found = await tx
      .tables<AlertingTables>()
      .selectFrom('rule')
      .innerJoin('program', (join) =>
        join.onRef('program.code', '=', 'rule.program').onRef('program.tenant_id', '=', 'rule.tenant_id'),
      )
      .select('program.definition')
      .where('rule.program', '=', code)
      .where('rule.active_version', 'is not', null)
      .limit(1)
      .executeTakeFirst()
    return found?.definition.subjectKind ?? null
  })

/** The newest change of a kind that somebody made to a rule. */
export interface RuleNote {
  readonly at: number
  /** As in the audit trail. */
  readonly actor: string
  readonly reason: string | null
}

export interface InstalledRule {
  readonly id: string
  /** The newest. */
  readonly version: number
  readonly active: boolean
  readonly definition: OwnedRule
  /** What the program's file says, where the rule was edited here. */
  readonly file: OwnedRule | null
  readonly edited: RuleNote | null
  readonly switchedOff: RuleNote | null
}

export interface InstalledProgram {
  readonly head: ProgramHead
  readonly rules: readonly InstalledRule[]
}

/** Programs with their newest rules, in the order of their codes and places. */
export async function listPrograms(engine: Engine, tenant: string): Promise<InstalledProgram[]> {
  const key = await engine.keys.keyFor('tenant', tenant)
  return engine.db.asTenant(tenant, async (tx) => {
    const heads = await tx.tables<AlertingTables>().selectFrom('program').selectAll().orderBy('code').execute()
    const rows = await newestRules(tx)
    const notes = await newestNotes(tx, key)
    return heads.map(({ code, definition }) => ({
      head: definition,
      rules: rows
        .filter((row) => row.program === code)
        .map((row) => ({
          ...{ id: row.id, version: row.version, active: row.active_version === row.version },
          definition: row.definition as OwnedRule,
          file: row.edited ? (row.file_definition as OwnedRule | null) : null,
          edited: row.edited ? (notes.get(`${row.id}/edited`) ?? null) : null,
          switchedOff: row.switched_off ? (notes.get(`${row.id}/deactivated`) ?? null) : null,
        })),
    }))
  })
}

/** A program as it was activated last, without what was edited here: to activate it again where no file of it is at hand. */
export async function programAsActivated(engine: Engine, tenant: string, code: string): Promise<Program | null> {
  const found = (await listPrograms(engine, tenant)).find(({ head }) => head.code === code)
  return found ? { ...found.head, rules: found.rules.map(({ definition, file }) => file ?? definition) } : null
}

const newestRules = (tx: TenantTx) =>
  tx
    .tables<AlertingTables>()
    .selectFrom('rule')
    .innerJoin('rule_version', (join) =>
      join.onRef('rule_version.rule_id', '=', 'rule.id').onRef('rule_version.tenant_id', '=', 'rule.tenant_id'),
    )
    .selectAll('rule')
    .select(['rule_version.version', 'rule_version.definition'])
    .where((eb) =>
      eb(
        'rule_version.version',
        '=',
        eb
          .selectFrom('rule_version as newest')
          .select((sub) => sub.fn.max('newest.version').as('version'))
          .whereRef('newest.rule_id', '=', 'rule.id'),
      ),
    )
    .orderBy('rule.place')
    .execute()

async function newestNotes(tx: TenantTx, key: DataKey): Promise<Map<string, RuleNote>> {
  const wanted: RuleChange[] = ['edited', 'deactivated']
  const rows = await tx
    .tables<AlertingTables>()
    .selectFrom('rule_change')
    .selectAll()
    .where('what', 'in', wanted)
    .orderBy('id')
    .execute()
  const notes = new Map<string, RuleNote>()
  for (const { rule_id, what, at, actor, reason } of rows)
    notes.set(`${rule_id}/${what}`, {
      ...{ at: toMs(at), actor },
      reason: reason === null ? null : openReason(key, tx.tenant, rule_id, reason),
    })
  return notes
}
