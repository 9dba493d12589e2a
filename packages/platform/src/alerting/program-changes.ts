/** What may be asked of a program and a rule before they are changed: whether they are there, and whether they are one's own. */
import type { TenantTx } from '../engine/index.ts'
import { type By, seesKind } from '../subjects/index.ts'
import { alertingFailure } from './errors.ts'
import type { RuleRow } from './rule-versions.ts'
import type { AlertingTables, ProgramHead } from './schema.ts'

export const programNotFound = () =>
  alertingFailure('program-not-found', 'There is no program of this code. List the programs.', {
    pointer: '/params/code',
  })

/** Limits of patients are a medical order, limits of refrigerators are not. @throws Failure `program-not-yours` */
export function assertYours(by: By, { subjectKind }: Pick<ProgramHead, 'subjectKind'>): void {
  if (seesKind(by.sight, subjectKind)) return
  throw alertingFailure(
    'program-not-yours',
    'Your roles do not answer for programs of this kind of subject. Ask an administrator.',
    { pointer: '/params/code' },
  )
}

/** @throws Failure `program-not-found`, `program-not-yours` */
export async function headOf(tx: TenantTx, by: By, code: string): Promise<ProgramHead> {
  const query = tx.tables<AlertingTables>().selectFrom('program').select('definition').where('code', '=', code)
  const found = await query.executeTakeFirst()
  if (found === undefined) throw programNotFound()
  assertYours(by, found.definition)
  return found.definition
}

/** Locks a rule by its id or its code. @throws Failure `rule-not-found` */
export async function lockRule(tx: TenantTx, program: string, rule: string): Promise<RuleRow> {
  // Whole: what only begins like an id is a code, and the database refuses it as an id.
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(rule)
  const row = await tx
    .tables<AlertingTables>()
    .selectFrom('rule')
    .selectAll()
    .where('program', '=', program)
    .where(isId ? 'id' : 'code', '=', rule)
    .forUpdate()
    .executeTakeFirst()
  if (row !== undefined) return row
  throw alertingFailure('rule-not-found', 'This program has no such rule. Read the program again.', {
    pointer: '/params/rule',
  })
}
