/**
 * What of subjects somebody may see: some kinds as a whole (a refrigerator is nobody's secret), patients by attachment. One
 * decision in two forms, over one subject in memory and over rows in SQL; `sight.test.ts` holds the two together.
 */
import { type Action, type Resource, SubjectKind } from '@careloop/contract'
import { type RawBuilder, sql } from 'kysely'
import type { TenantTx } from '../engine/index.ts'
import { may, type Principal, type Reach, type ReachReason, type ServicePrincipal } from '../identity/index.ts'
import { subjectFailure } from './errors.ts'

export interface Sight {
  /** Kinds that are seen as a whole. */
  readonly kinds: readonly SubjectKind[]
  /** Patients that are seen by attachment; absent = none beyond `kinds`. */
  readonly reach?: Reach
}

/** What of a subject decides whether somebody sees it. */
export interface Sighted {
  readonly id: string
  readonly kind: SubjectKind
  /** Care team. */
  readonly team: string | null
}

const allKinds = SubjectKind.options

/**
 * What somebody may see of subjects while they do this. People see patients by attachment, whatever their roles; who works with
 * opaque ids only (devices) has a kind as a whole; a service token has things by its scope, and patients by their consent.
 */
export function sightOf(principal: Principal, action: Action, resource: Resource): Sight {
  const kinds = allKinds.filter((kind) => may(principal, action, resource, { kind }))
  const isAttached = may(principal, action, resource, { kind: 'patient', isAttached: true })
  if (principal.kind === 'service') return sightOfService(principal, isSentIn(action, resource), kinds)
  if (!isAttached || kinds.includes('patient')) return { kinds }
  return principal.kind === 'staff' && principal.reach !== undefined ? { kinds, reach: principal.reach } : { kinds }
}

/** New people and their readings. Whatever else is made is about a patient who is there: it needs to be let in by them. */
const isSentIn = (action: Action, resource: Resource): boolean =>
  action === 'create' && (resource === 'subject' || resource === 'reading')

/** What a program sends in is told to nobody. What else it does it sees: of patients by their consent, unless it is our own. */
function sightOfService({ reach }: ServicePrincipal, sendsIn: boolean, kinds: readonly SubjectKind[]): Sight {
  if (sendsIn || reach === 'every-patient') return { kinds }
  const things = kinds.filter((kind) => kind !== 'patient')
  return things.length === kinds.length || reach === undefined ? { kinds: things } : { kinds: things, reach }
}

/** @param sight absent = everything: stages of the server and its own console */
export function sees(sight: Sight | undefined, { id, kind, team }: Sighted): boolean {
  if (sight === undefined || sight.kinds.includes(kind)) return true
  if (kind !== 'patient' || sight.reach === undefined) return false
  const { teams, teamless, subjects } = sight.reach
  return (team === null ? teamless : teams.includes(team)) || subjects.has(id)
}

/** By these somebody sees a patient for a time, to treat them: no reason to settle who sees the patient from then on. */
const passing: ReadonlySet<ReachReason> = new Set(['task', 'break-glass'])

/** Whether they see it also when their open tasks and their emergency access are over. */
export function isLasting(sight: Sight | undefined, place: Sighted): boolean {
  if (!sees(sight, place)) return false
  if (sight?.reach === undefined) return true
  const { teams, teamless, subjects } = sight.reach
  const subjectsThatStay = new Map([...subjects].filter(([id, { why }]) => id === place.id && [...why].some(stays)))
  return sees({ ...sight, reach: { teams, teamless, subjects: subjectsThatStay } }, place)
}
const stays = (why: ReachReason): boolean => !passing.has(why)

/** Whether something of this kind may be there for them at all: for lists of what belongs to no subject (programs, boards). */
export const seesKind = (sight: Sight | undefined, kind: SubjectKind): boolean =>
  sight === undefined || sight.kinds.includes(kind) || (kind === 'patient' && sight.reach !== undefined)

const seesAll = (sight: Sight | undefined): sight is undefined =>
  sight === undefined || allKinds.every((kind) => sight.kinds.includes(kind))

/**
 * `sees` as a condition over rows of tenant.subject, for a `where` of Kysely.
 * @param alias of tenant.subject in the query
 */
export function sightCondition(sight: Sight | undefined, alias = 'subject'): RawBuilder<boolean> {
  if (seesAll(sight)) return sql<boolean>`true`
  const { kinds, reach } = sight
  const [kind, team, id] = ['kind', 'team_id', 'id'].map((column) => sql.ref(`${alias}.${column}`)) as Columns
  const whole = sql<boolean>`${kind} = any(${[...kinds]}::text[])`
  if (reach === undefined) return whole
  const teamless = reach.teamless ? sql`or ${team} is null` : sql``
  return sql<boolean>`(${whole} or (${kind} = 'patient' and (${team} = any(${[...reach.teams]}::uuid[])
    ${teamless} or ${id} = any(${[...reach.subjects.keys()]}::uuid[]))))`
}
type Columns = [ReturnType<typeof sql.ref>, ReturnType<typeof sql.ref>, ReturnType<typeof sql.ref>]

/** The same over a column that names a subject, in tables of other rooms: `where(seenThrough(by.sight, 'task.subject_id'))`. */
export function seenThrough(sight: Sight | undefined, column: string): RawBuilder<boolean> {
  if (seesAll(sight)) return sql<boolean>`true`
  return sql<boolean>`${sql.ref(column)} in
    (select seen.id from tenant.subject as seen where ${sightCondition(sight, 'seen')})`
}

/** What decides who sees these subjects; those that are not there are absent. */
export async function placesOf(tx: TenantTx, ids: readonly string[]): Promise<ReadonlyMap<string, Sighted>> {
  const { rows } = await tx.client.query<Sighted>(
    'select id, kind, team_id as team from tenant.subject where tenant_id = $1 and id = any($2::uuid[])',
    [tx.tenant, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Those of the ids that exist, are not erased, and are seen. */
export async function seenOf(
  tx: TenantTx,
  ids: readonly string[],
  sight: Sight | undefined,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  // One array: a list of parameters ends at 65,535.
  const { rows } = await sql<{ id: string }>`select subject.id from tenant.subject
    where subject.id = any(${[...new Set(ids)]}::uuid[]) and subject.erased_at is null and ${sightCondition(sight)}`.execute(
    tx.tables(),
  )
  return new Set(rows.map((row) => row.id))
}

/** Whether there is this subject for them. */
export const isSeen = async (tx: TenantTx, id: string, sight: Sight | undefined): Promise<boolean> =>
  (await seenOf(tx, [id], sight)).has(id)

/**
 * What somebody may not know of is not there for them: it fails exactly as for an id that nobody has.
 * @throws Failure `subject-not-found`
 */
export async function assertSubject(tx: TenantTx, id: string, pointer: string, sight?: Sight): Promise<void> {
  if (!(await isSeen(tx, id, sight))) throw subjectNotFound(pointer)
}

/**
 * For what settles who sees a patient, or answers for them, from now on: teams, enrolments, accounts, consents. Whoever sees them by an
 * open task or by emergency access would make that sight their own by it.
 * @throws Failure `subject-not-found`, `sight-temporary`
 */
export async function assertLasting(tx: TenantTx, id: string, pointer: string, sight?: Sight): Promise<void> {
  await assertSubject(tx, id, pointer, sight)
  const place = (await placesOf(tx, [id])).get(id.toLowerCase())
  if (place === undefined || !isLasting(sight, place)) throw sightTemporary(pointer)
}

export const sightTemporary = (pointer: string) =>
  subjectFailure(
    'sight-temporary',
    'You see this patient for a task or in an emergency: treat them, and ask somebody of their care team for this.',
    { pointer },
  )

export const subjectNotFound = (pointer: string) =>
  subjectFailure('subject-not-found', 'No subject has this id. Search for it again.', { pointer })
