/**
 * Enrolments: a subject is in a program from-to, owned by a member of staff who acts on its alerts. Rules read them, so every
 * change also stands in the reading log, in order with the readings.
 */
import type { EnrolmentUpdate, EnrolmentView, NewEnrolment, SubjectKind } from '@careloop/contract'
import type { Selectable } from 'kysely'
import type { Engine, TenantTx } from '../engine/index.ts'
import { audited, type By } from './by.ts'
import type { Gate } from './consent/consents.ts'
import { subjectFailure } from './errors.ts'
import { type EnrolmentTable, type SubjectsTables, toMs, toMsOrNull } from './schema.ts'
import { assertLasting, assertSubject, isSeen } from './sight.ts'
import { assertStaff, type StaffOf } from './staff.ts'

/** What is asked before somebody is enrolled, of rooms that come after this one. */
export interface Enrolling {
  /** Kind of subject that a program is for; null when no program of this code has rules that are evaluated. */
  programKind(tenant: string, code: string): Promise<SubjectKind | null>
  /** Whether a member of staff may act on tasks about subjects of this kind: else an alert would wait for who cannot open it. */
  mayAnswer(tenant: string, staff: string, kind: SubjectKind): Promise<boolean>
}

/** @throws Failure `subject-not-found`, `sight-temporary`, `staff-not-found`, `program-not-active`, `enrolment-unfit`, `enrolment-overlaps`, `enrolment-span-wrong` */
export async function enrol(
  engine: Engine,
  staff: StaffOf,
  enrolling: Enrolling | null,
  by: By,
  subject: string,
  wanted: NewEnrolment,
): Promise<EnrolmentView> {
  const now = engine.clock.now()
  const from = wanted.from ?? now
  const to = wanted.to ?? null
  assertForward(from, to)
  await assertOwners(staff, by.tenant, wanted.owner, wanted.backup)
  if (enrolling !== null) {
    const kind = await kindOfSubject(engine, by, subject)
    await assertWatched(enrolling, by.tenant, wanted.program, kind)
    await assertMayAnswer(enrolling, by.tenant, kind, wanted)
  }
  const id = engine.ids.uuid()
  return engine.db.asTenant(by.tenant, async (tx) => {
    await assertLasting(tx, subject, '/params/id', by.sight)
    const row = {
      id,
      subject_id: subject,
      program: wanted.program,
      owner_id: wanted.owner,
      backup_id: wanted.backup ?? null,
    }
    const made = await tx
      .tables<SubjectsTables>()
      .insertInto('enrolment')
      .values({ ...row, from_at: from, to_at: to, created_at: now })
      .onConflict((conflict) => conflict.constraint('enrolment_once').doNothing())
      .executeTakeFirst()
    if (made.numInsertedOrUpdatedRows !== 1n)
      throw subjectFailure(
        'enrolment-overlaps',
        'This subject is in this program at that time already. End that first.',
        {
          pointer: '/body/from',
        },
      )
    const enrolment = { id, subject, ...wanted, backup: wanted.backup ?? null, from, to }
    await finish(tx, by, 'create', enrolment)
    return enrolment
  })
}

/** Gives an enrolment other owners. @throws Failure `enrolment-not-found`, `sight-temporary`, `staff-not-found`, `enrolment-unfit` */
export async function updateEnrolment(
  engine: Engine,
  staff: StaffOf,
  enrolling: Enrolling | null,
  by: By,
  id: string,
  wanted: EnrolmentUpdate,
): Promise<EnrolmentView> {
  await assertOwners(staff, by.tenant, wanted.owner, wanted.backup ?? undefined)
  if (enrolling !== null) {
    const seen = await engine.db.asTenant(by.tenant, (tx) => lockEnrolment(tx, id, by.sight))
    await assertMayAnswer(enrolling, by.tenant, await kindOfSubject(engine, by, seen.subject_id), wanted)
  }
  return engine.db.asTenant(by.tenant, async (tx) => {
    const row = await lockEnrolment(tx, id, by.sight)
    const columns = { owner_id: wanted.owner, backup_id: wanted.backup }
    const changed = { ...columns, changed_at: engine.clock.now() }
    await tx.tables<SubjectsTables>().updateTable('enrolment').set(changed).where('id', '=', id).execute()
    const enrolment = viewOf({ ...row, ...columns })
    await finish(tx, by, 'update', enrolment)
    return enrolment
  })
}

/** Ends an enrolment; null = now. An end may come earlier than one set before, never later. @throws Failure `enrolment-not-found`, `sight-temporary`, `enrolment-span-wrong` */
export const endEnrolment = (engine: Engine, by: By, id: string, end: number | null): Promise<EnrolmentView> =>
  engine.db.asTenant(by.tenant, async (tx) => {
    const row = await lockEnrolment(tx, id, by.sight)
    const to = end ?? engine.clock.now()
    assertForward(toMs(row.from_at), to)
    if (row.to_at !== null && to > toMs(row.to_at))
      throw subjectFailure('enrolment-span-wrong', 'It ends earlier than that already. Enrol the subject again.', {
        pointer: '/body/to',
      })
    const ended = { to_at: to, changed_at: engine.clock.now() }
    await tx.tables<SubjectsTables>().updateTable('enrolment').set(ended).where('id', '=', id).execute()
    const enrolment = viewOf({ ...row, to_at: String(to) })
    await finish(tx, by, 'update', enrolment)
    return enrolment
  })

/** Enrolments of a subject, oldest first, ended ones too. Audited when a person reads them (`by`). */
export const enrolmentsOf = (
  engine: Engine,
  tenant: string,
  subject: string,
  by?: By,
  gate?: Gate,
): Promise<EnrolmentView[]> =>
  engine.db.asTenantReading(tenant, async (tx) => {
    if (by !== undefined && !(await isSeen(tx, subject, by.sight))) return []
    const rows = await tx
      .tables<SubjectsTables>()
      .selectFrom('enrolment')
      .selectAll()
      .where('subject_id', '=', subject)
      .orderBy('from_at')
      .execute()
    if (by) await audited(tx, by, 'read', 'enrolment', { subjects: [subject] })
    const shown = await gate?.shown(tx, subject)
    // To be in a program for substance use is what 42 CFR Part 2 protects first.
    return rows.filter(({ program }) => shown?.may({ class: 'person', program }) !== false).map(viewOf)
  })

/** The same of many subjects at once, for evaluators: ended ones too, oldest first. */
export const enrolmentsOfMany = (
  engine: Engine,
  tenant: string,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, readonly EnrolmentView[]>> =>
  engine.db.asTenant(tenant, async (tx) => {
    // One array: a list of parameters ends at 65,535.
    const { rows } = await tx.client.query<Selectable<EnrolmentTable>>(
      'select * from tenant.enrolment where tenant_id = $1 and subject_id = any($2::uuid[]) order by from_at, id',
      [tenant, subjects],
    )
    return Map.groupBy(rows.map(viewOf), ({ subject }) => subject)
  })

/** Every enrolment that holds at `at`, of one tenant: what evaluators start from. @param programs only in these */
export const enrolmentsAt = (
  engine: Engine,
  tenant: string,
  at: number,
  programs?: readonly string[],
): Promise<EnrolmentView[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    if (programs?.length === 0) return []
    const rows = await tx
      .tables<SubjectsTables>()
      .selectFrom('enrolment')
      .selectAll()
      .where('from_at', '<=', String(at))
      .where((eb) => eb.or([eb('to_at', 'is', null), eb('to_at', '>', String(at))]))
      .$if(programs !== undefined, (query) => query.where('program', 'in', programs!))
      .orderBy('id')
      .execute()
    return rows.map(viewOf)
  })

// ---------------------------------------------------------------- parts

function assertForward(from: number, to: number | null): void {
  if (to === null || to > from) return
  throw subjectFailure('enrolment-span-wrong', 'The end must come after the beginning.', { pointer: '/body/to' })
}

async function assertOwners(staff: StaffOf, tenant: string, owner: string, backup: string | undefined): Promise<void> {
  await assertStaff(staff, tenant, [owner], '/body/owner', false)
  if (backup !== undefined) await assertStaff(staff, tenant, [backup], '/body/backup', false)
}

const unfit = (message: string, pointer: string) => subjectFailure('enrolment-unfit', message, { pointer })

/** Whoever is enrolled where no rule looks at such a subject would seem watched and not be. */
async function assertWatched(enrolling: Enrolling, tenant: string, program: string, kind: SubjectKind): Promise<void> {
  const programKind = await enrolling.programKind(tenant, program)
  if (programKind === null)
    throw subjectFailure('program-not-active', 'No active program has this code. See: careloop program list', {
      pointer: '/body/program',
    })
  if ((programKind === 'patient') !== (kind === 'patient'))
    throw unfit('This program is made for another kind of subject. Choose one that fits.', '/body/program')
}

async function assertMayAnswer(
  enrolling: Enrolling,
  tenant: string,
  kind: SubjectKind,
  { owner, backup }: Pick<EnrolmentUpdate, 'owner' | 'backup'> | NewEnrolment,
): Promise<void> {
  const named = [['/body/owner', owner], ...(backup ? [['/body/backup', backup] as const] : [])] as const
  for (const [pointer, staff] of named)
    if (!(await enrolling.mayAnswer(tenant, staff, kind)))
      throw unfit('The roles of this colleague do not cover subjects of this kind. Choose another colleague.', pointer)
}

/** @throws Failure `subject-not-found` */
const kindOfSubject = (engine: Engine, by: By, subject: string): Promise<SubjectKind> =>
  engine.db.asTenant(by.tenant, async (tx) => {
    await assertSubject(tx, subject, '/params/id', by.sight)
    const query = tx.tables<SubjectsTables>().selectFrom('subject').select('kind').where('id', '=', subject)
    return (await query.executeTakeFirstOrThrow()).kind
  })

async function lockEnrolment(tx: TenantTx, id: string, sight: By['sight']): Promise<Selectable<EnrolmentTable>> {
  const query = tx.tables<SubjectsTables>().selectFrom('enrolment').selectAll().where('id', '=', id)
  const row = await query.forUpdate().executeTakeFirst()
  if (!row || !(await isSeen(tx, row.subject_id, sight)))
    throw subjectFailure('enrolment-not-found', 'No enrolment has this id. List those of the subject.', {
      pointer: '/params/id',
    })
  await assertLasting(tx, row.subject_id, '/params/id', sight)
  return row
}

const viewOf = (row: Selectable<EnrolmentTable>): EnrolmentView => ({
  id: row.id,
  subject: row.subject_id,
  program: row.program,
  owner: row.owner_id,
  backup: row.backup_id,
  from: toMs(row.from_at),
  to: toMsOrNull(row.to_at),
})

async function finish(tx: TenantTx, by: By, action: 'create' | 'update', enrolment: EnrolmentView): Promise<void> {
  const { id, subject, program } = enrolment
  await tx.publish({ type: 'EnrolmentChanged', enrolment: id, subject, program })
  await audited(tx, by, action, 'enrolment', { id, subjects: [subject] })
  tx.beforeCommitAppend([{ kind: 'config-changed', tenant: by.tenant, subject }])
}
