/** How a review comes to be and whom it is told to: at once when it is opened, and when it was not closed in time. */
import type { FactBodies, Role } from '@careloop/contract'
import type { Engine, EngineTx, FiredTimer, TenantTx } from '../../engine/index.ts'
import { type Told, toldOf, writeIntent } from '../intents.ts'
import { toMs } from '../schema.ts'
import type { Reachable, Ways } from '../ways.ts'
import { type NewReview, reviewKinds } from './review-kinds.ts'
import type { ReviewRow, ReviewTables } from './schema.ts'

/** Timers of reviews that fall due: key = the review, `{ tenant, review }`. */
export const reviewTimer = 'review-due'

/** @returns the review; null when there is one of this source already */
export async function openReview(told: Told, tx: TenantTx, wanted: NewReview): Promise<ReviewRow | null> {
  const { engine } = told
  const { role, priority, limitMs } = reviewKinds[wanted.kind]
  const now = engine.clock.now()
  const review = await tx
    .tables<ReviewTables>()
    .insertInto('review')
    .values({
      ...{ id: engine.ids.uuid(), kind: wanted.kind, source_id: wanted.source, reason: wanted.reason ?? null },
      ...{
        about_subject: wanted.subject ?? null,
        about_device: wanted.device ?? null,
        about_user: wanted.user ?? null,
      },
      ...{ for_role: role, priority, opened_at: now, due_at: now + limitMs, status: 'open', version: 1 },
    })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'kind', 'source_id']).doNothing())
    .returningAll()
    .executeTakeFirst()
  if (review === undefined) return null
  await engine.timers.set(tx, reviewTimer, {
    key: review.id,
    at: now + limitMs,
    ids: { tenant: tx.tenant, review: review.id },
  })
  await tx.publish({ type: 'ReviewOpened', review: review.id, role })
  await tellOfReview(told, tx, review, 'review-opened', officeOf(told.staff, review))
  return review
}

/** What fires when a review ought to be closed. It reads the review again, locked: it may be. */
export async function reviewDue(engine: Engine, ways: Ways, fired: FiredTimer, tx: EngineTx): Promise<void> {
  const { tenant, review: id } = fired.ids as { tenant: string; review: string }
  const told = await toldOf(engine, ways, tenant)
  await tx.asTenant(tenant, async (tenantTx) => {
    const query = tenantTx.tables<ReviewTables>().selectFrom('review').selectAll().where('id', '=', id)
    const review = await query.forUpdate().executeTakeFirst()
    if (review === undefined || review.status === 'closed') return
    // Who should have closed it has let it pass: administrators hear of it too.
    const administrators = holdersOf(told.staff, 'administrator')
    const recipients = [...officeOf(told.staff, review), ...without(administrators, review.about_user)]
    await tellOfReview(told, tenantTx, review, 'review-overdue', recipients)
    await tenantTx.publish({ type: 'ReviewChanged', review: id })
  })
}

/** One notice for each person and way. @returns nothing: who cannot be reached by mail has it in their pages */
export async function tellOfReview(
  { engine, ways, staff }: Told,
  tx: TenantTx,
  review: ReviewRow,
  why: 'review-opened' | 'review-overdue' | 'access-taken',
  recipients: readonly string[],
): Promise<void> {
  const title = why === 'access-taken' ? 'Emergency access to a patient of yours' : reviewKinds[review.kind].title
  const wantedAt = why === 'review-overdue' ? toMs(review.due_at) : toMs(review.opened_at)
  const about = { task_id: null, event_id: null, review_id: review.id }
  for (const recipient of new Set(recipients))
    for (const channel of ways.email ? (['in-app', 'email'] as const) : (['in-app'] as const))
      await writeIntent(engine, tx, staff, {
        ...{ ...about, recipient, channel, step: 0, why, priority: review.priority, title, wanted_at: wantedAt },
      })
  if (recipients.length === 0)
    engine.watch.log.error({ tenant: tx.tenant, review: review.id }, 'a review was opened that nobody can be told of')
}

/**
 * Who looks at it: everybody of its role; administrators when nobody has the role, or only whom it is about. Whom it is about is
 * told last of all, when there is nobody else: a review that nobody knows of would be none.
 */
export function officeOf(
  staff: readonly Reachable[],
  { for_role, about_user }: Pick<ReviewRow, 'for_role' | 'about_user'>,
): readonly string[] {
  const office = without(holdersOf(staff, for_role), about_user)
  if (office.length > 0) return office
  const administrators = without(holdersOf(staff, 'administrator'), about_user)
  return administrators.length > 0 ? administrators : holdersOf(staff, for_role)
}

const holdersOf = (staff: readonly Reachable[], role: Role): string[] =>
  staff.filter(({ endedAt, roles }) => endedAt === null && roles.includes(role)).map(({ id }) => id)

const without = (ids: readonly string[], id: string | null): string[] => ids.filter((each) => each !== id)

/** Colleagues who look after the patient hear of emergency access at once, in their pages and by mail; no name stands there. */
export const tellCareTeam = (
  told: Told,
  tx: TenantTx,
  review: ReviewRow,
  team: readonly string[],
  { user }: FactBodies['BreakGlassOpened'],
): Promise<void> => {
  const working = team.filter((id) => id !== user && told.staff.some((each) => each.id === id && each.endedAt === null))
  return working.length === 0 ? Promise.resolve() : tellOfReview(told, tx, review, 'access-taken', working)
}
