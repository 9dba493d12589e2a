/** Programs as activated in an organisation: from files of `programs/` to rule versions that never change. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { assertOwned, type OwnedRule, type Program, type ProgramRule, parseProgram } from '@careloop/rules'
import { record } from '../audit/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { By } from '../subjects/index.ts'
import type { AlertingTables, ProgramHead } from './schema.ts'

/** Reads one file of a program. @throws Failure `program-invalid` */
export const readProgram = async (path: string): Promise<Program> =>
  parseProgram(await readFile(path, 'utf8'), basename(path))

/** Reads every `*.yaml` of a folder that is no timeline. @throws Failure `program-invalid` */
export async function readPrograms(folder: string): Promise<Program[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'))
  return Promise.all(names.sort().map((name) => readProgram(join(folder, name))))
}

/**
 * Activates all rules of a program. Rules that did not change keep their version; what the program no longer has is evaluated no
 * more. Evaluators learn of it in order, through the log.
 * @throws Failure `rule-incomplete` when a rule lacks owner, action, time limit or backup
 */
export async function activateProgram(engine: Engine, by: By, program: Program): Promise<{ activated: number }> {
  program.rules.forEach((rule, index) => {
    assertOwned(rule, `/rules/${index}`)
  })
  const now = engine.clock.now()
  return engine.db.asTenant(by.tenant, async (tx) => {
    const { rules, ...head } = program
    await saveHead(tx, head, now)
    let activated = 0
    for (const [place, rule] of rules.entries())
      if (await saveRule(engine, tx, by, program, rule, place, now)) activated++
    const dropped = await retire(tx, program)
    if (activated + dropped > 0) tx.beforeCommitAppend([{ kind: 'config-changed', tenant: by.tenant }])
    return { activated }
  })
}

async function saveHead(tx: TenantTx, head: ProgramHead, now: number): Promise<void> {
  const definition = JSON.stringify(head)
  await tx
    .tables<AlertingTables>()
    .insertInto('program')
    .values({ code: head.code, definition, installed_at: now })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'code']).doUpdateSet({ definition }))
    .execute()
}

/** @returns whether a new version was activated */
async function saveRule(
  engine: Engine,
  tx: TenantTx,
  by: By,
  program: Program,
  rule: ProgramRule,
  place: number,
  now: number,
): Promise<boolean> {
  const tables = tx.tables<AlertingTables>()
  const definition = JSON.stringify(rule)
  const sha256 = createHash('sha256').update(canonicalJson(rule)).digest()
  const known = await tables
    .selectFrom('rule')
    .selectAll()
    .where('program', '=', program.code)
    .where('code', '=', rule.code)
    .forUpdate()
    .executeTakeFirst()
  const id = known?.id ?? engine.ids.uuid()
  if (known === undefined) {
    const row = { id, program: program.code, code: rule.code, place, active_version: null }
    await tables.insertInto('rule').values(row).execute()
  }
  const newest = await tables
    .selectFrom('rule_version')
    .select(['version', 'sha256'])
    .where('rule_id', '=', id)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  const changed = newest === undefined || !newest.sha256.equals(sha256)
  const version = changed ? (newest?.version ?? 0) + 1 : newest.version
  if (!changed && known?.active_version === version) return false
  if (changed) {
    const row = { rule_id: id, version, definition, sha256, activated_at: now, activated_by: by.actor }
    await tables.insertInto('rule_version').values(row).execute()
  }
  await tables.updateTable('rule').set({ active_version: version, place }).where('id', '=', id).execute()
  await tx.publish({ type: 'RuleActivated', rule: id, version })
  await record(tx, { actor: by.actor, action: 'execute', resource: 'rule', id, requestId: by.requestId })
  return true
}

/** JSON with keys in order: jsonb gives them back in another order, and that is no new version. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )

/** Rules that the program no longer has. */
async function retire(tx: TenantTx, program: Program): Promise<number> {
  const retired = await tx
    .tables<AlertingTables>()
    .updateTable('rule')
    .set({ active_version: null })
    .where('program', '=', program.code)
    .where('code', 'not in', [...program.rules.map((rule) => rule.code)])
    .where('active_version', 'is not', null)
    .executeTakeFirst()
  return Number(retired.numUpdatedRows)
}

/** Whether rules of this program are evaluated here. */
export const isActiveProgram = (engine: Engine, tenant: string, code: string): Promise<boolean> =>
  engine.db.asTenant(tenant, async (tx) => {
    const rules = tx.tables<AlertingTables>().selectFrom('rule').select('id')
    const active = rules.where('program', '=', code).where('active_version', 'is not', null)
    return (await active.limit(1).executeTakeFirst()) !== undefined
  })

export interface InstalledRule {
  readonly id: string
  readonly version: number
  readonly active: boolean
  readonly definition: OwnedRule
}

export interface InstalledProgram {
  readonly head: ProgramHead
  readonly rules: readonly InstalledRule[]
}

/** Programs with their newest rules, in the order of their codes and places. */
export const listPrograms = (engine: Engine, tenant: string): Promise<InstalledProgram[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const tables = tx.tables<AlertingTables>()
    const heads = await tables.selectFrom('program').selectAll().orderBy('code').execute()
    const rules = await tables
      .selectFrom('rule')
      .innerJoin('rule_version', (join) =>
        join.onRef('rule_version.rule_id', '=', 'rule.id').onRef('rule_version.tenant_id', '=', 'rule.tenant_id'),
      )
      .select(['rule.id', 'rule.program', 'rule.active_version', 'rule_version.version', 'rule_version.definition'])
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
    return heads.map(({ code, definition }) => ({
      head: definition,
      rules: rules
        .filter((rule) => rule.program === code)
        .map((rule) => ({
          id: rule.id,
          version: rule.version,
          active: rule.active_version === rule.version,
          definition: rule.definition as OwnedRule,
        })),
    }))
  })
