/** From facts to reviews: one process at a time, in the order of the facts, each once. */
import type { Fact, FactBodies } from '@careloop/contract'
import { type Engine, followAlone, isPassing, type Stage } from '../../engine/index.ts'
import type { Subjects } from '../../subjects/index.ts'
import { type Told, toldOf } from '../intents.ts'
import type { Ways } from '../ways.ts'
import { setAside } from '../workflow-metrics.ts'
import { openMissed } from './missed-accesses.ts'
import { openReview, reviewDue, reviewTimer, tellCareTeam } from './open-review.ts'
import { openingFacts, reviewOf } from './review-kinds.ts'

export interface TakingReviews {
  readonly ways: Ways
  readonly subjects: Pick<Subjects, 'names' | 'careTeams' | 'enrolmentsOf'>
}

export const reviewsCursor = 'reviews'
const batch = 200
/** How often emergency accesses without a review are looked for. */
const lookEveryMs = 24 * 3_600_000

export const reviewsStage = (taking: TakingReviews): Stage => ({
  name: 'reviews',
  async start(engine) {
    const stopTimers = workOnReviews(engine, taking.ways)
    const stop = followAlone(engine, {
      ...{ name: reviewsCursor, facts: openingFacts, lookEveryMs, failed: 'reviews could not be opened; trying again' },
      take: () => takeReviews(engine, taking),
      look: () => openMissed(engine, taking),
    })
    return async () => {
      await stop()
      await stopTimers()
    }
  },
})

/** What fires by itself: reviews that fall due. */
export const workOnReviews = (engine: Engine, ways: Ways): (() => Promise<void>) =>
  engine.timers.work(reviewTimer, (fired, tx) => reviewDue(engine, ways, fired, tx))

/**
 * Takes in the next facts. One that no review can be made of is set aside, loudly: it must not keep back those that come after it.
 * @returns false when there were none
 */
export async function takeReviews(engine: Engine, taking: TakingReviews): Promise<boolean> {
  const from = await engine.db.cursor(reviewsCursor)
  const facts = await engine.db.readFacts(from, batch)
  if (facts.length === 0) return false
  let at = from
  for (const fact of facts.filter((each) => reviewOf(each) !== null)) {
    try {
      await take(engine, taking, at, fact)
    } catch (err) {
      if (isPassing(err)) throw err
      await engine.db.asEngine((tx) => engine.db.moveCursor(tx, reviewsCursor, at, fact.position))
      setAside(engine.watch.metrics).inc({ type: fact.type })
      const { tenant, type, position } = fact
      engine.watch.log.error({ err, tenant, type, position }, 'no review could be made of this fact: it was set aside')
    }
    at = fact.position
  }
  const last = facts.at(-1)!.position
  if (at !== last) await engine.db.asEngine((tx) => engine.db.moveCursor(tx, reviewsCursor, at, last))
  return true
}

async function take(engine: Engine, taking: TakingReviews, from: string, fact: Fact): Promise<void> {
  // Asked for before the transaction: one that waits for a second connection may wait for itself.
  const told = await toldOf(engine, taking.ways, fact.tenant)
  const access = fact.type === 'BreakGlassOpened' ? (fact.body as FactBodies['BreakGlassOpened']) : null
  const team = access === null ? [] : await whoCaresFor(taking, fact.tenant, access.subject)
  await engine.db.asEngine(async (tx) => {
    await engine.db.moveCursor(tx, reviewsCursor, from, fact.position)
    await tx.asTenant(fact.tenant, (tenantTx) => open(told, tenantTx, fact, team))
  })
}

async function open(
  told: Told,
  tx: Parameters<typeof openReview>[1],
  fact: Fact,
  team: readonly string[],
): Promise<void> {
  const review = await openReview(told, tx, reviewOf(fact)!)
  if (review === null || fact.type !== 'BreakGlassOpened') return
  await tellCareTeam(told, tx, review, team, fact.body as FactBodies['BreakGlassOpened'])
}

/** The patient's care team, and owners and backups of what they are enrolled in. */
export async function whoCaresFor(
  { subjects }: TakingReviews,
  tenant: string,
  subject: string,
): Promise<readonly string[]> {
  const team = (await subjects.names(tenant, [subject])).get(subject)?.team ?? null
  const teams = team === null ? [] : await subjects.careTeams(tenant)
  const open = (await subjects.enrolmentsOf(tenant, subject)).filter(({ to }) => to === null)
  return [
    ...teams.filter(({ id }) => id === team).flatMap(({ members }) => members),
    ...open.flatMap(({ owner, backup }) => (backup === null ? [owner] : [owner, backup])),
  ]
}
