/**
 * Emergency accesses without a review: the fact that tells of one was set aside. Looked for by the accesses themselves, so that whatever
 * went wrong somebody looks at each.
 */
import type { BreakGlassReason, FactBodies } from '@careloop/contract'
import { type Engine, isPassing } from '../../engine/index.ts'
import { toldOf } from '../intents.ts'
import { openReview, tellCareTeam } from './open-review.ts'
import { type TakingReviews, whoCaresFor } from './take-reviews.ts'

/** An access becomes a review within a second; one that is so old and has none is missed, ms. */
const missedAfterMs = 5 * 60_000

/** @returns how many reviews were opened */
export async function openMissed(engine: Engine, taking: TakingReviews): Promise<number> {
  let opened = 0
  for (const tenant of await engine.db.tenants())
    for (const access of await missedOf(engine, tenant)) if (await openLate(engine, taking, tenant, access)) opened += 1
  return opened
}

type Missed = FactBodies['BreakGlassOpened']

const missedOf = (engine: Engine, tenant: string): Promise<Missed[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<{ access: string; subject: string; user: string; reason: BreakGlassReason }>(
      `select b.id as access, b.subject_id as subject, b.user_id as user, b.reason from tenant.break_glass b
        where b.tenant_id = $1 and b.opened_at < $2
          and not exists (select from tenant.review r
                           where r.tenant_id = $1 and r.kind = 'break-glass' and r.source_id = b.id::text)
        order by b.id limit 200`,
      [tenant, engine.clock.now() - missedAfterMs],
    )
    return rows
  })

async function openLate(engine: Engine, taking: TakingReviews, tenant: string, missed: Missed): Promise<boolean> {
  const { access, subject, user, reason } = missed
  try {
    const told = await toldOf(engine, taking.ways, tenant)
    const team = await whoCaresFor(taking, tenant, subject)
    const isOpened = await engine.db.asTenant(tenant, async (tx) => {
      const review = await openReview(told, tx, { kind: 'break-glass', source: access, subject, user, reason })
      if (review !== null) await tellCareTeam(told, tx, review, team, missed)
      return review !== null
    })
    if (isOpened) engine.watch.log.error({ tenant, access }, 'emergency access had no review: it has one now, late')
    return isOpened
  } catch (err) {
    if (isPassing(err)) throw err
    engine.watch.log.error({ err, tenant, access }, 'emergency access has no review, and none can be opened')
    return false
  }
}
