/**
 * Limits of one subject that differ from their program's: by whom, why, until when. Evaluators learn of each change in order,
 * through the log. Decided in docs/adr/0009-rules-absence-overrides.md.
 */
import type { NewOverride, OverrideBody } from '@careloop/contract'
import type { OwnedRule } from '@careloop/rules'
import type { Engine, TenantTx } from '../engine/index.ts'
import { assertSubject, audited, type By, type Subjects } from '../subjects/index.ts'
import { alertingFailure } from './errors.ts'
import { changedBody, changesOf } from './limits.ts'
import type { Members } from './members.ts'
import { type Override, openOverride, overrideRow, overrideRows, sealContent } from './override-store.ts'
import type { AlertingTables } from './schema.ts'
import { actorRef, staffNamesOf } from './shown.ts'

export interface OverrideParts {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'enrolmentsOf'>
  readonly members: Members
}

/** A limit that differs from the program's is looked at again once a year at the least. */
export const maxOverrideMs = 365 * 86_400_000

/**
 * Sets limits of one rule for one subject, in place of those that stand.
 * @throws Failure `subject-not-found`, `rule-not-found`, `limit-invalid`, `override-expiry`
 */
export async function setOverride(
  { engine, subjects, members }: OverrideParts,
  by: By,
  subject: string,
  wanted: NewOverride,
): Promise<OverrideBody> {
  const now = engine.clock.now()
  assertExpiry(wanted.expiresAt, now)
  const enrolments = await subjects.enrolmentsOf(by.tenant, subject)
  const programs = enrolments.filter(({ to }) => to === null || to > now).map(({ program }) => program)
  const id = engine.ids.uuid()
  const made = await engine.db.asTenant(by.tenant, async (tx) => {
    await assertSubject(tx, subject, '/params/id', by.sight)
    const { body } = await activeRule(tx, wanted.rule, programs)
    const changes = changesOf(body, wanted.limits, '/body/limits')
    changedBody(body, changes, '/body/limits')
    const key = await engine.keys.keyFor('subject', subject)
    const content = { changes, limits: wanted.limits, reason: wanted.reason }
    await end(tx, by.actor, now, (query) => query.where('subject_id', '=', subject).where('rule_id', '=', wanted.rule))
    const row = {
      ...{ id, subject_id: subject, rule_id: wanted.rule, key_id: key.id, author: by.actor },
      ...{ created_at: now, expires_at: wanted.expiresAt, ended_at: null, ended_by: null },
      body: sealContent(key, tx.tenant, id, content),
    }
    await tx.tables<AlertingTables>().insertInto('rule_override').values(row).execute()
    await audited(tx, by, 'create', 'override', { id, subjects: [subject] })
    tx.beforeCommitAppend([{ kind: 'config-changed', tenant: by.tenant, subject }])
    const { rule, expiresAt } = wanted
    return { ...content, id, subject, rule, author: by.actor, createdAt: now, expiresAt, endedAt: null }
  })
  return overrideBody(made, await staffNamesOf(members, by.tenant))
}

/** Ends one before its time; ending it again changes nothing. @throws Failure `override-not-found`, `subject-not-found` */
export async function endOverride(
  { engine, members }: OverrideParts,
  by: By,
  subject: string,
  id: string,
): Promise<OverrideBody> {
  const now = engine.clock.now()
  const ended = await engine.db.asTenant(by.tenant, async (tx) => {
    await assertSubject(tx, subject, '/params/id', by.sight)
    const gone = await end(tx, by.actor, now, (query) => query.where('id', '=', id).where('subject_id', '=', subject))
    const row = await overrideRow(tx, id)
    if (row === undefined || row.subject_id !== subject)
      throw alertingFailure('override-not-found', 'This subject has no such limit of its own. Read the list again.', {
        pointer: '/params/override',
      })
    await audited(tx, by, 'update', 'override', { id, subjects: [subject] })
    if (gone.length > 0) tx.beforeCommitAppend([{ kind: 'config-changed', tenant: by.tenant, subject }])
    return row
  })
  return overrideBody(await openOverride(engine, by.tenant, ended), await staffNamesOf(members, by.tenant))
}

/** All of a subject, newest first; audited as a reading. @throws Failure `subject-not-found`, `key-destroyed` */
export async function listOverrides(
  { engine, members }: OverrideParts,
  by: By,
  subject: string,
): Promise<OverrideBody[]> {
  const rows = await engine.db.asTenant(by.tenant, async (tx) => {
    await assertSubject(tx, subject, '/params/id', by.sight)
    await audited(tx, by, 'read', 'override', { subjects: [subject] })
    return overrideRows(tx, subject)
  })
  const names = await staffNamesOf(members, by.tenant)
  return Promise.all(rows.map(async (row) => overrideBody(await openOverride(engine, by.tenant, row), names)))
}

/** Ends what has expired, and tells evaluators. @returns how many */
export const endExpired = (engine: Engine, tenant: string): Promise<number> =>
  engine.db.asTenant(tenant, async (tx) => {
    const now = engine.clock.now()
    const ended = await end(tx, 'system:alerting', now, (query) => query.where('expires_at', '<=', String(now)))
    const subjects = [...new Set(ended.map(({ subject_id }) => subject_id))].sort()
    if (subjects.length > 0)
      tx.beforeCommitAppend(subjects.map((subject) => ({ kind: 'config-changed', tenant, subject })))
    return ended.length
  })

export const overrideBody = (override: Override, names: ReadonlyMap<string, string>): OverrideBody => ({
  ...{ id: override.id, subject: override.subject, rule: override.rule, limits: [...override.limits] },
  ...{ reason: override.reason, author: actorRef(names, override.author) },
  ...{ createdAt: override.createdAt, expiresAt: override.expiresAt },
  ...(override.endedAt === null ? {} : { endedAt: override.endedAt }),
})

// ---------------------------------------------------------------- parts

const endQuery = (tx: TenantTx, by: string, at: number) =>
  tx
    .tables<AlertingTables>()
    .updateTable('rule_override')
    .set({ ended_at: at, ended_by: by })
    .where('ended_at', 'is', null)
    .returning(['id', 'subject_id'])

type EndQuery = ReturnType<typeof endQuery>

const end = (tx: TenantTx, by: string, at: number, which: (query: EndQuery) => EndQuery) =>
  which(endQuery(tx, by, at)).execute()

function assertExpiry(expiresAt: number, now: number): void {
  if (expiresAt > now && expiresAt - now <= maxOverrideMs) return
  throw alertingFailure(
    'override-expiry',
    expiresAt <= now
      ? 'The end lies in the past.'
      : 'A limit of one subject stands for a year at most: then look at it again.',
    { pointer: '/body/expiresAt' },
  )
}

/** A limit is set where a rule stands: of a program that the subject is in. @throws Failure `rule-not-found` */
async function activeRule(tx: TenantTx, rule: string, programs: readonly string[]): Promise<OwnedRule> {
  const row = await tx
    .tables<AlertingTables>()
    .selectFrom('rule')
    .innerJoin('rule_version', (join) =>
      join
        .onRef('rule_version.rule_id', '=', 'rule.id')
        .onRef('rule_version.tenant_id', '=', 'rule.tenant_id')
        .onRef('rule_version.version', '=', 'rule.active_version'),
    )
    .select(['rule.program', 'rule_version.definition'])
    .where('rule.id', '=', rule)
    .executeTakeFirst()
  if (row !== undefined && programs.includes(row.program)) return row.definition as OwnedRule
  throw alertingFailure('rule-not-found', 'No active rule of this id stands for this subject. List its rules.', {
    pointer: '/body/rule',
  })
}
