/** No server runs for a while, and timers come due. */
import type { Ground } from './ground.ts'
import type { Cast } from './kill-cast.ts'
import { SILENT_AFTER_MS } from './kill-rules.ts'
import { sleep, waitFor } from './wait.ts'

export interface Night {
  readonly round: number
  /** When the silence of the probes that fell silent before would have been due, had somebody listened. */
  readonly silentAt: number
  readonly from: number
  readonly to: number
}

/** The task of the round's `unanswered` stands, and its limit runs. @returns when that is over, ms */
export async function nightfall(ground: Ground, { scenes }: Cast, round: number): Promise<number> {
  const { engine } = ground.rooms()
  const due = () =>
    engine.db.asTenant(ground.clinic.tenant, async (tx) => {
      const sql = 'select due_at::float8 as due from tenant.task where subject_id = $1'
      const { rows } = await tx.client.query<{ due: number }>(sql, [scenes[round]!.unanswered.subject])
      return rows[0]?.due ?? 0
    })
  await waitFor('the task whose limit passes in the night', async () => (await due()) > 0)
  return due()
}

/** Until that limit has passed, and each probe has been unheard for too long. */
export async function night(dueAt: number): Promise<Pick<Night, 'from' | 'to'>> {
  const from = Date.now()
  await sleep(Math.max(dueAt, from + SILENT_AFTER_MS) + 500 - from)
  return { from, to: Date.now() }
}
