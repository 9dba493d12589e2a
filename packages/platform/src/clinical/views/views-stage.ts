/** Keeps the views: one process at a time, in the order of the facts; between them what was there before, and what nobody tells of. */
import { type Engine, followAlone, type Stage } from '../../engine/index.ts'
import { factsOf, keepAll, setAside, takeViews, viewsCursor } from './follow-views.ts'
import type { KeepingViews } from './keep-views.ts'
import { takeFromBefore } from './rebuild-views.ts'

/** How often it is looked for what changed without a fact. */
const lookEveryMs = 30_000
/** Further back than the last look: another process's clock may differ, and rows are seen when they are committed. */
const overlapMs = 60_000

export const clinicalViewsStage = (keeping: KeepingViews): Stage => ({
  name: viewsCursor,
  async start(engine) {
    setAside(engine.watch.metrics)
    let isAllMade = false
    const makeFromBefore = async () => {
      if (!isAllMade) isAllMade = !(await takeFromBefore(engine, keeping))
      return !isAllMade
    }
    return followAlone(engine, {
      ...{
        name: viewsCursor,
        facts: factsOf(keeping.views),
        lookEveryMs,
        failed: 'FHIR views could not be kept; trying again',
      },
      async begin() {
        isAllMade = false
      },
      take: async () => (await takeViews(engine, keeping)) || (await makeFromBefore()),
      look: () => look(engine, keeping),
    })
  },
})

const lookedCursor = 'clinical-views-looked'

/** Since the last look, whichever process it was in. What is older than the first is made as what was there before. */
async function look(engine: Engine, keeping: KeepingViews): Promise<void> {
  const until = engine.clock.now()
  const stood = await engine.db.cursor(lookedCursor)
  const since = (stood === '0' ? until : Number(stood)) - overlapMs
  await takeUntold(engine, keeping, { since, until })
  await engine.db.asEngine((tx) => engine.db.moveCursor(tx, lookedCursor, stood, String(until)))
}

/** What changed in a span of time and of which no fact tells. ms */
export async function takeUntold(
  engine: Engine,
  keeping: KeepingViews,
  { since, until }: { readonly since: number; readonly until: number },
): Promise<void> {
  for (const tenant of await engine.db.tenants())
    for (const view of keeping.views) {
      const ids = (await view.changed?.(tenant, since, until)) ?? []
      await keepAll(engine, keeping, tenant, view, ids)
    }
}
