import { setTimeout } from 'node:timers/promises'
import type { Engine } from '../../engine/index.ts'
import type { Subjects } from '../../subjects/index.ts'
import { cursorName, takeFacts } from '../open-tasks.ts'
import { reviewsCursor, type TakingReviews, takeReviews } from '../reviews/take-reviews.ts'
import type { Ways } from '../ways.ts'

/** Staff of the scene of alerting, as workflow asks for them, told in the pages only. */
export const inPages: Ways = {
  staff: async () => [
    { id: 'nora', displayName: 'Nora Nurse', email: 'nora@clinic.example', roles: ['nurse'], endedAt: null },
    { id: 'ben', displayName: 'Ben Building', email: 'ben@clinic.example', roles: ['facilities'], endedAt: null },
  ],
  email: false,
}

/**
 * Takes in every fact there is. A fact is readable only when no older transaction of the whole database server runs any more,
 * and tests of other files share the server: then this waits.
 */
export async function takeAllFacts(
  engine: Engine,
  subjects: Pick<Subjects, 'enrolmentsOf'>,
  ways: Ways = inPages,
): Promise<void> {
  await untilTaken(engine, cursorName, () => takeFacts(engine, { subjects, ways }))
}

/** The same for reviews. */
export const takeAllReviews = (engine: Engine, taking: TakingReviews): Promise<void> =>
  untilTaken(engine, reviewsCursor, () => takeReviews(engine, taking))

async function untilTaken(engine: Engine, cursor: string, take: () => Promise<boolean>): Promise<void> {
  for (;;) {
    if (await take()) continue
    const { rows } = await engine.db.pool.query<{ position: string }>(
      `select xid::text || ':' || id as position from engine.fact order by xid desc, id desc limit 1`,
    )
    if (rows.length === 0 || rows[0]!.position === (await engine.db.cursor(cursor))) return
    await setTimeout(20)
  }
}
