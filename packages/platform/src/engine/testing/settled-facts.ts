import type { Fact } from '@careloop/contract'
import type { Engine } from '../ports.ts'

/**
 * All facts that were told until now. A fact can be read only when no older transaction runs on the whole server, and tests
 * share one: this waits for the others' transactions to end.
 */
export async function settledFacts(
  { db, clock }: Pick<Engine, 'db' | 'clock'>,
  max = 10_000,
): Promise<readonly Fact[]> {
  const hidden =
    'select exists (select from engine.fact where xid >= pg_snapshot_xmin(pg_current_snapshot())) as hidden'
  for (const until = performance.now() + 20_000; performance.now() < until; ) {
    const { rows } = await db.pool.query<{ hidden: boolean }>(hidden)
    if (!rows[0]!.hidden) return db.readFacts('0', max)
    await new Promise((go) => setTimeout(go, 20))
  }
  throw new Error(`facts are still hidden behind another transaction at ${clock.now()}`)
}
