/** Reviews as whoever closes them reads and handles them. Everything read is audited; a patient stands there by opaque id. */
import {
  type CloseReview,
  type ReviewBody,
  type ReviewDetail,
  type ReviewList,
  type ReviewStatus,
  type Role,
  reviewOutcomes,
} from '@careloop/contract'
import type { Updateable } from 'kysely'
import { staffRef } from '../../alerting/index.ts'
import { readTrail, record } from '../../audit/index.ts'
import type { DataKey, Engine, TenantTx } from '../../engine/index.ts'
import type { StaffPrincipal } from '../../identity/index.ts'
import { readAccess } from '../break-glass/access-rows.ts'
import { workflowFailure } from '../errors.ts'
import { toMs } from '../schema.ts'
import type { WorkingStaff } from '../staff.ts'
import { reviewTimer } from './open-review.ts'
import { reviewKinds } from './review-kinds.ts'
import type { ReviewRow, ReviewTables } from './schema.ts'

export type Office = Pick<StaffPrincipal, 'id' | 'tenant' | 'roles'> & { readonly requestId: string }

export interface Reviews {
  list(office: Office, status?: ReviewStatus): Promise<ReviewList>
  /** @throws Failure `review-not-found` */
  read(office: Office, id: string): Promise<ReviewDetail>
  /** @throws Failure `review-not-found`, `review-moved` */
  claim(office: Office, id: string, version: number): Promise<ReviewDetail>
  /** @throws as `claim`, and Failure `review-own`, `review-outcome-unfit` */
  close(office: Office, id: string, wanted: CloseReview): Promise<ReviewDetail>
}

/** Closed ones that a list shows; older ones are found in the audit trail. */
const closedAtMost = 200

export const makeReviews = (engine: Engine, staff: WorkingStaff): Reviews => ({
  list: (office, status) => listReviews(engine, staff, office, status),
  read: (office, id) => readReview(engine, staff, office, id),
  async claim(office, id, version) {
    await handle(engine, office, id, version, (review) => ({
      status: 'claimed',
      claimed_by: office.id,
      claimed_at: engine.clock.now(),
      version: review.version + 1,
    }))
    return readReview(engine, staff, office, id)
  },
  async close(office, id, wanted) {
    await closeReview(engine, office, id, wanted)
    return readReview(engine, staff, office, id)
  },
})

async function listReviews(
  engine: Engine,
  staff: WorkingStaff,
  office: Office,
  status?: ReviewStatus,
): Promise<ReviewList> {
  const people = await staff(office.tenant)
  const now = engine.clock.now()
  return engine.db.asTenant(office.tenant, async (tx) => {
    const own = tx
      .tables<ReviewTables>()
      .selectFrom('review')
      .where(...seenBy(office))
    const open = await own.selectAll().where('status', '<>', 'closed').orderBy('due_at').orderBy('id').execute()
    const { closed } = await own
      .where('status', '=', 'closed')
      .select((eb) => eb.fn.countAll<string>().as('closed'))
      .executeTakeFirstOrThrow()
    const shown =
      status === 'closed'
        ? await own
            .selectAll()
            .where('status', '=', 'closed')
            .orderBy('closed_at', 'desc')
            .limit(closedAtMost)
            .execute()
        : open.filter((row) => status === undefined || row.status === status)
    const entry = { actor: `staff:${office.id}`, requestId: office.requestId, purpose: 'HOPERAT' } as const
    await record(tx, { ...entry, action: 'search', resource: 'review' })
    const counts = {
      ...{ open: open.filter((row) => row.status === 'open').length, closed: Number(closed) },
      ...{ claimed: open.filter((row) => row.status === 'claimed').length },
      overdue: open.filter((row) => toMs(row.due_at) <= now).length,
    }
    const names = new Map(people.map(({ id, displayName }) => [id, displayName]))
    return { items: shown.map((row) => bodyOf(row, names, office)), counts }
  })
}

/** What an administrator oversees is all; others see what their own roles close. */
const seenBy = ({ roles }: Office) =>
  ['for_role', 'in', roles.includes('administrator') ? rolesOfReviews : [...roles].filter(isOffice)] as const

const rolesOfReviews = [...new Set(Object.values(reviewKinds).map(({ role }) => role))]
const isOffice = (role: string): role is Role => rolesOfReviews.some((each) => each === role)

async function readReview(engine: Engine, staff: WorkingStaff, office: Office, id: string): Promise<ReviewDetail> {
  const people = await staff(office.tenant)
  const { row, access } = await engine.db.asTenant(office.tenant, async (tx) => {
    const row = await oneReview(tx, office, id)
    const access = row.kind === 'break-glass' ? await readAccess(tx, row.source_id) : null
    const entry = { actor: `staff:${office.id}`, requestId: office.requestId, purpose: 'HOPERAT' } as const
    const about = row.about_subject === null ? {} : { subject: row.about_subject }
    await record(tx, { ...entry, ...about, action: 'read', resource: 'review', id })
    return { row, access: access && { ...access, acts: await actsBy(tx, row, access) } }
  })
  const names = new Map(people.map((each) => [each.id, each.displayName]))
  return {
    ...bodyOf(row, names, office),
    access: access && {
      ...{ openedAt: access.openedAt, untilAt: access.untilAt, endedAt: access.endedAt, acts: access.acts },
      words: await access.words(engine),
    },
    note: row.outcome === null ? null : await openNote(engine, office.tenant, row),
  }
}

/** What they did with the record while it stood open, of the newest thousand entries. */
async function actsBy(
  tx: TenantTx,
  row: ReviewRow,
  { openedAt, untilAt, endedAt }: { openedAt: number; untilAt: number; endedAt: number | null },
): Promise<{ action: string; resource: string; count: number }[]> {
  const span = { from: openedAt, to: Math.min(untilAt, endedAt ?? untilAt) + 1 }
  const subject = row.about_subject ?? undefined
  const entries = await readTrail(tx, { ...span, subject, actor: `staff:${row.about_user}`, limit: 1_000 })
  // That access was taken and given is what the review is about, not what was done by it.
  const acts = entries.filter(({ resource }) => resource !== 'break-glass' && resource !== 'sight-grant')
  const counts = Map.groupBy(acts, ({ action, resource }) => `${action} ${resource}`)
  return [...counts.values()]
    .map((same) => ({ action: same[0]!.action, resource: same[0]!.resource, count: same.length }))
    .sort((a, b) => b.count - a.count || (a.resource < b.resource ? -1 : 1))
}

/** @throws Failure `review-not-found`, also when it is another role's */
async function oneReview(tx: TenantTx, office: Office, id: string, locked = false): Promise<ReviewRow> {
  const query = tx
    .tables<ReviewTables>()
    .selectFrom('review')
    .selectAll()
    .where('id', '=', id)
    .where(...seenBy(office))
  const row = await (locked ? query.forUpdate() : query).executeTakeFirst()
  if (row !== undefined) return row
  throw workflowFailure('review-not-found', 'No review with this id is for your role.', { pointer: '/params/id' })
}

async function closeReview(engine: Engine, office: Office, id: string, wanted: CloseReview): Promise<void> {
  const key = await keyOfNote(engine, office, id)
  await handle(engine, office, id, wanted.version, (review) => {
    if (!reviewOutcomes[review.kind].includes(wanted.outcome))
      throw workflowFailure(
        'review-outcome-unfit',
        'A review of this kind is not closed so. Choose one that it lists.',
        {
          pointer: '/body/outcome',
        },
      )
    const words = whyNotClose(review, office)
    if (words !== undefined) throw workflowFailure('review-own', words, { pointer: '/params/id' })
    const now = engine.clock.now()
    return {
      ...(review.claimed_by === null ? { claimed_by: office.id, claimed_at: now } : {}),
      ...{ status: 'closed' as const, closed_by: office.id, closed_at: now, outcome_code: wanted.outcome },
      ...{ key_id: key.id, outcome: key.seal(Buffer.from(wanted.note), aadOf(office.tenant, id)) },
      version: review.version + 1,
    }
  })
}

/**
 * What is written about a patient goes with them: under their own key, where there is one still. Asked for before the transaction that
 * closes, which must not wait for another connection.
 */
async function keyOfNote(engine: Engine, office: Office, id: string): Promise<DataKey> {
  const { about_subject: subject } = await engine.db.asTenant(office.tenant, (tx) => oneReview(tx, office, id))
  const own = subject === null ? null : await unlessDestroyed(engine.keys.keyFor('subject', subject))
  return own ?? engine.keys.keyFor('tenant', office.tenant)
}

const unlessDestroyed = (key: Promise<DataKey>): Promise<DataKey | null> =>
  key.catch((error: { code?: string }) => {
    if (error.code === 'key-destroyed') return null
    throw error
  })

/** Locks, compares with what was seen, changes, tells; in one transaction with its audit entry. */
async function handle(
  engine: Engine,
  office: Office,
  id: string,
  seen: number,
  columns: (review: ReviewRow) => Updateable<ReviewTables['review']>,
): Promise<void> {
  await engine.db.asTenant(office.tenant, async (tx) => {
    const review = await oneReview(tx, office, id, true)
    if (review.status === 'closed' || review.version !== seen)
      throw workflowFailure('review-moved', 'A colleague handled this review since you read it. Read it again.', {
        pointer: '/body/version',
      })
    const set = columns(review)
    await tx.tables<ReviewTables>().updateTable('review').set(set).where('id', '=', id).execute()
    await tx.publish({ type: 'ReviewChanged', review: id })
    if (set.status === 'closed') await engine.timers.cancel(tx, reviewTimer, id)
    const entry = { actor: `staff:${office.id}`, requestId: office.requestId, purpose: 'HOPERAT' } as const
    const about = review.about_subject === null ? {} : { subject: review.about_subject }
    await record(tx, { ...entry, ...about, action: 'update', resource: 'review', id })
  })
}

const whyNotClose = (row: Pick<ReviewRow, 'about_user'>, office: Office): string | undefined =>
  row.about_user === office.id ? 'It is about what you did yourself: a colleague closes it.' : undefined

function bodyOf(row: ReviewRow, names: ReadonlyMap<string, string>, office: Office): ReviewBody {
  const person = (id: string | null) => (id === null ? null : staffRef(names, id))
  const why = whyNotClose(row, office)
  return {
    ...{ id: row.id, kind: row.kind, title: reviewKinds[row.kind].title, reason: row.reason },
    about: { subject: row.about_subject, device: row.about_device, user: person(row.about_user) },
    ...{ priority: row.priority, forRole: row.for_role, status: row.status, version: row.version },
    ...{ openedAt: toMs(row.opened_at), dueAt: toMs(row.due_at) },
    ...{ claimedBy: person(row.claimed_by), closedBy: person(row.closed_by) },
    ...{ closedAt: row.closed_at === null ? null : toMs(row.closed_at), outcome: row.outcome_code },
    ...(why === undefined ? {} : { whyNotClose: why }),
  }
}

const aadOf = (tenant: string, review: string): string => `review-outcome:${tenant}:${review}`

/** Null when the patient was erased: what was said of them is gone with them. */
async function openNote(engine: Engine, tenant: string, row: ReviewRow): Promise<string | null> {
  const key = await unlessDestroyed(engine.keys.key(row.key_id!))
  return key?.open(row.outcome!, aadOf(tenant, row.id)).toString() ?? null
}
