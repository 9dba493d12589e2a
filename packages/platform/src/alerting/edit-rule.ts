/** Rules as people change them here: another limit, another owner, off and on again. Each change has an author and a reason. */
import { isDeepStrictEqual } from 'node:util'
import type { RuleEdit, SubjectKind } from '@careloop/contract'
import { assertOwned, type ProgramRule, type RuleBody } from '@careloop/rules'
import { record } from '../audit/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { By } from '../subjects/index.ts'
import { alertingFailure } from './errors.ts'
import { changedBody, changesOf } from './limits.ts'
import { assertReaches, type Members } from './members.ts'
import { inOwnWords } from './own-words.ts'
import { headOf, lockRule } from './program-changes.ts'
import {
  addVersion,
  digestOf,
  makeActive,
  type NewestVersion,
  newestVersion,
  noteChange,
  type RuleRow,
} from './rule-versions.ts'
import type { AlertingTables } from './schema.ts'

/** A rule of a program, by id or code. */
export interface RuleAddress {
  readonly program: string
  readonly rule: string
}

const bodyPointers = { owner: '/body/ownerRole', backup: '/body/backupRole' }
const rulePointers = { owner: '/params/rule', backup: '/params/rule' }

/**
 * A new version with these changes; it stands at once when the rule is on.
 * @returns the rule's id
 * @throws Failure `program-not-found`, `program-not-yours`, `rule-not-found`, `rule-moved`, `limit-invalid`, `edit-empty`,
 *   `rule-incomplete`, `owner-unreachable`
 */
export async function editRule(
  engine: Engine,
  members: Members,
  by: By,
  address: RuleAddress,
  edit: RuleEdit,
): Promise<string> {
  const staff = await members(by.tenant)
  return change(engine, by, address, async (tx, row, newest, now, kind) => {
    assertSeen(newest, edit.version)
    const definition = edited(newest.definition, edit, row.file_definition ?? newest.definition)
    if (digestOf(definition).equals(newest.sha256))
      throw alertingFailure('edit-empty', 'These changes change nothing. Read the rule again.', { pointer: '/body' })
    if (definition.owner === definition.backup)
      throw alertingFailure('owner-unreachable', 'Owner and backup are one role. Name another.', {
        pointer: bodyPointers.backup,
      })
    assertOwned(definition, '/body')
    if (row.active_version !== null) assertReaches(staff, kind, definition, bodyPointers)
    const version = await addVersion(tx, by, row.id, newest.version, definition, now)
    // Edited back to what the program's file says, it follows the file again.
    const isAsFile = row.file_sha256?.equals(digestOf(definition)) ?? false
    await keepFile(tx, row, newest, !isAsFile)
    if (row.active_version !== null) await makeActive(tx, by, row.id, version)
    return { what: 'edited', version, reason: edit.reason, stands: row.active_version !== null }
  })
}

/** Takes what the program's file says in place of what was edited here. @throws those of `editRule`, `rule-unedited` */
export async function takeFileVersion(
  engine: Engine,
  members: Members,
  by: By,
  address: RuleAddress,
  wanted: { readonly version: number; readonly reason: string },
): Promise<string> {
  const staff = await members(by.tenant)
  return change(engine, by, address, async (tx, row, newest, now, kind) => {
    assertSeen(newest, wanted.version)
    if (!row.edited || row.file_definition === null)
      throw alertingFailure('rule-unedited', 'This rule is as its program says. There is nothing to take back.', {
        pointer: '/params/rule',
      })
    const definition = row.file_definition
    if (row.active_version !== null) assertReaches(staff, kind, definition, rulePointers)
    const version = await addVersion(tx, by, row.id, newest.version, definition, now)
    await keepFile(tx, row, newest, false)
    if (row.active_version !== null) await makeActive(tx, by, row.id, version)
    return { what: 'file-taken', version, reason: wanted.reason, stands: row.active_version !== null }
  })
}

/** Switches a rule on in its newest version. @throws Failure `rule-incomplete`, `owner-unreachable`, those of an address */
export async function activateRule(engine: Engine, members: Members, by: By, address: RuleAddress): Promise<string> {
  const staff = await members(by.tenant)
  return change(engine, by, address, async (tx, row, newest, _now, kind) => {
    if (row.active_version === newest.version) return null
    assertOwned(newest.definition, '/params/rule')
    assertReaches(staff, kind, newest.definition, rulePointers)
    await makeActive(tx, by, row.id, newest.version)
    return { what: 'activated', version: newest.version, stands: true }
  })
}

/** Switches a rule off; a program file does not switch it on again. What stands raised is told cleared, and why. */
export const deactivateRule = (engine: Engine, by: By, address: RuleAddress, reason: string): Promise<string> =>
  change(engine, by, address, async (tx, row, newest) => {
    if (row.active_version === null && row.switched_off) return null
    await tx
      .tables<AlertingTables>()
      .updateTable('rule')
      .set({ active_version: null, switched_off: true, unreachable_since: null })
      .where('id', '=', row.id)
      .execute()
    const { actor, requestId } = by
    await record(tx, { actor, action: 'execute', resource: 'rule', id: row.id, requestId })
    return { what: 'deactivated', version: newest.version, reason, stands: true }
  })

// ---------------------------------------------------------------- parts

interface Made {
  readonly what: 'edited' | 'activated' | 'deactivated' | 'file-taken'
  readonly version: number
  readonly reason?: string
  /** Whether what evaluators do changes. */
  readonly stands: boolean
}

/** One change of one rule, with its note, and told to evaluators in order through the log. */
async function change(
  engine: Engine,
  by: By,
  { program, rule }: RuleAddress,
  act: (tx: TenantTx, row: RuleRow, newest: NewestVersion, now: number, kind: SubjectKind) => Promise<Made | null>,
): Promise<string> {
  const key = await engine.keys.keyFor('tenant', by.tenant)
  return engine.db.asTenant(by.tenant, async (tx) => {
    const { subjectKind } = await headOf(tx, by, program)
    const row = await lockRule(tx, program, rule)
    const newest = await newestVersion(tx, row.id)
    if (newest === undefined) throw new Error('a rule without a version')
    const now = engine.clock.now()
    const made = await act(tx, row, newest, now, subjectKind)
    if (made === null) return row.id
    const { what, version, reason } = made
    await noteChange(tx, by, key, {
      ...{ rule: row.id, what, version, at: now },
      ...(reason === undefined ? {} : { reason }),
    })
    if (what === 'edited' || what === 'file-taken') {
      const { actor, requestId } = by
      await record(tx, { actor, action: 'update', resource: 'rule', id: row.id, requestId })
    }
    if (made.stands) tx.beforeCommitAppend([{ kind: 'config-changed', tenant: by.tenant }])
    return row.id
  })
}

function assertSeen(newest: NewestVersion, version: number): void {
  if (newest.version === version) return
  throw alertingFailure(
    'rule-moved',
    'This rule has changed since you read it. Read it again, then make your change.',
    { pointer: '/body/version' },
  )
}

/** What the file says is known from its activation on; of one that was activated before this was kept it is the newest version. */
async function keepFile(tx: TenantTx, row: RuleRow, newest: NewestVersion, isEdited: boolean): Promise<void> {
  const file =
    row.file_definition === null
      ? { file_sha256: newest.sha256, file_definition: JSON.stringify(newest.definition) }
      : {}
  await tx
    .tables<AlertingTables>()
    .updateTable('rule')
    .set({ edited: isEdited, ...file })
    .where('id', '=', row.id)
    .execute()
}

/** @param file the program's own: with its limits again, the rule says its sentence again */
function edited(rule: ProgramRule, edit: RuleEdit, file: ProgramRule): ProgramRule {
  const changes = changesOf(rule.body, edit.limits, '/body/limits')
  const limited = changedBody(rule.body, changes, '/body/limits')
  const body = edit.holdMs === undefined ? limited : withHold(limited, edit.holdMs)
  return {
    ...worded(rule, body, file),
    ...(edit.ownerRole === undefined ? {} : { owner: edit.ownerRole }),
    ...(edit.backupRole === undefined ? {} : { backup: edit.backupRole }),
    ...(edit.action === undefined ? {} : { action: edit.action }),
    ...(edit.limitMs === undefined ? {} : { limitMs: edit.limitMs }),
  } satisfies ProgramRule
}

function worded(rule: ProgramRule, body: RuleBody, file: ProgramRule): ProgramRule {
  if (isDeepStrictEqual(body, rule.body)) return rule
  if (isDeepStrictEqual(body, file.body)) return { ...rule, body, sentence: file.sentence }
  return inOwnWords(rule, body, 'Limit')
}

/** Of a silence the time is its span, of a threshold its hold. @throws Failure `limit-invalid` */
function withHold(body: RuleBody, holdMs: number): RuleBody {
  const refuse = (message: string) => alertingFailure('limit-invalid', message, { pointer: '/body/holdMs' })
  if (body.kind === 'absence') {
    const change = { part: 'after', index: 0, limit: holdMs } as const
    if (holdMs >= 60_000) return changedBody(body, [change], '/body/limits')
    throw refuse('Silence is told after 1 minute at the soonest.')
  }
  if (body.kind !== 'threshold') throw refuse('A rule of this kind has no hold: its time is how it counts.')
  if (body.confirm !== undefined) throw refuse('This rule waits for a repeat of the measurement instead of a hold.')
  if (holdMs > 0 && body.validForMs === 0)
    throw refuse(
      'This rule judges single measurements. A hold needs how long one reading speaks: write it in a program file.',
    )
  return { ...body, hold: { ...body.hold, forMs: holdMs } }
}
