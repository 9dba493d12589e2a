/**
 * Activating a program: from a definition (a file of `programs/`, or an organisation's own) to rule versions that stand for its
 * subjects. What people changed here is theirs: docs/adr/0009-rules-absence-overrides.md.
 */
import { assertOwned, type Program, type ProgramRule } from '@careloop/rules'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { By } from '../subjects/index.ts'
import { assertReaches, type Members, type Staff } from './members.ts'
import { assertYours } from './program-changes.ts'
import { addVersion, digestOf, makeActive, type NewestVersion, newestVersion, type RuleRow } from './rule-versions.ts'
import type { AlertingTables, ProgramHead } from './schema.ts'

export interface Activated {
  /** Rules that are new, changed or on again. */
  readonly activated: number
  /** Codes of rules that were edited here and stay so, although the definition says otherwise. */
  readonly keptEdits: readonly string[]
  /** Codes of rules that somebody switched off and that stay off. */
  readonly leftOff: readonly string[]
}

/**
 * Activates all rules of a program. Rules that did not change keep their version; what the program no longer has is evaluated no
 * more. Evaluators learn of it in order, through the log.
 * @throws Failure `rule-incomplete` when a rule lacks owner, action, time limit or backup; `owner-unreachable` when nobody has the
 *   role; `program-not-yours`
 */
export async function activateProgram(engine: Engine, members: Members, by: By, program: Program): Promise<Activated> {
  assertYours(by, program)
  program.rules.forEach((rule, index) => {
    assertOwned(rule, `/rules/${index}`)
  })
  const staff = await members(by.tenant)
  const now = engine.clock.now()
  return engine.db.asTenant(by.tenant, async (tx) => {
    const { rules, ...head } = program
    await saveHead(tx, head, now)
    const saved: Saved[] = []
    for (const [place, rule] of rules.entries())
      saved.push(await saveRule(engine, tx, by, staff, program, rule, place, now))
    const dropped = await retire(tx, program)
    const activated = saved.filter(({ isNew }) => isNew).length
    if (activated + dropped > 0) tx.beforeCommitAppend([{ kind: 'config-changed', tenant: by.tenant }])
    return {
      activated,
      keptEdits: saved.filter(({ keptEdits }) => keptEdits).map(({ code }) => code),
      leftOff: saved.filter(({ leftOff }) => leftOff).map(({ code }) => code),
    }
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

interface Saved {
  readonly code: string
  readonly isNew: boolean
  readonly keptEdits: boolean
  readonly leftOff: boolean
}

async function saveRule(
  engine: Engine,
  tx: TenantTx,
  by: By,
  staff: Staff,
  program: Pick<Program, 'code' | 'subjectKind'>,
  rule: ProgramRule,
  place: number,
  now: number,
): Promise<Saved> {
  const known = await knownRule(engine, tx, program.code, rule, place)
  const newest = await newestVersion(tx, known.id)
  const sha256 = digestOf(rule)
  const keptEdits = known.edited && newest !== undefined && !newest.sha256.equals(sha256)
  const version = keptEdits ? newest.version : await versionOf(tx, by, known.id, newest, rule, sha256, now)
  await tx
    .tables<AlertingTables>()
    .updateTable('rule')
    .set({ place, edited: keptEdits, file_sha256: sha256, file_definition: JSON.stringify(rule) })
    .where('id', '=', known.id)
    .execute()
  const kept = { code: rule.code, keptEdits, leftOff: known.switched_off }
  if (known.switched_off) return { ...kept, isNew: false }
  const stands = keptEdits ? newest.definition : rule
  assertReaches(staff, program.subjectKind, stands, {
    owner: `/rules/${place}/owner`,
    backup: `/rules/${place}/backup`,
  })
  if (known.active_version === version) return { ...kept, isNew: false }
  await makeActive(tx, by, known.id, version)
  return { ...kept, isNew: true }
}

async function versionOf(
  tx: TenantTx,
  by: By,
  id: string,
  newest: NewestVersion | undefined,
  rule: ProgramRule,
  sha256: Buffer,
  now: number,
): Promise<number> {
  if (newest?.sha256.equals(sha256)) return newest.version
  return addVersion(tx, by, id, newest?.version ?? 0, rule, now)
}

async function knownRule(
  engine: Engine,
  tx: TenantTx,
  program: string,
  { code }: ProgramRule,
  place: number,
): Promise<Pick<RuleRow, 'id' | 'active_version' | 'edited' | 'switched_off'>> {
  const tables = tx.tables<AlertingTables>()
  const query = tables.selectFrom('rule').selectAll().where('program', '=', program).where('code', '=', code)
  const known = await query.forUpdate().executeTakeFirst()
  if (known !== undefined) return known
  const made = { id: engine.ids.uuid(), active_version: null }
  await tables
    .insertInto('rule')
    .values({ ...made, program, code, place })
    .execute()
  return { ...made, edited: false, switched_off: false }
}

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
