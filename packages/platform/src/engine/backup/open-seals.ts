/** In a drill: that the master key at hand opens what came back. Rows that can be counted and not opened are no backup of anything. */
import type { MasterKeys } from '../keys/master-key.ts'
import { openEngine } from '../open-engine.ts'
import { makeWatch } from '../watch/watch.ts'

/**
 * Opens the newest keys of each purpose, and the newest commit of the reading log.
 * @returns purposes whose keys were opened
 * @throws Failure `master-key-missing`, `seal-broken`, and what reading the log throws
 */
export async function openSeals(url: string, masters: MasterKeys, dataDir: string): Promise<readonly string[]> {
  const { engine, close } = openEngine({
    ...{ url, masters, dataDir, watch: makeWatch({ level: 'silent' }), maxConnections: 2, computeThreads: 1 },
  })
  try {
    const { rows } = await engine.db.pool.query<{ id: string; purpose: string }>(
      `select id, purpose from (
         select id, purpose, row_number() over (partition by purpose order by created_at desc, id) as nth
           from engine.data_key where destroyed_at is null) k
        where nth <= 3 order by purpose`,
    )
    for (const { id } of rows) await engine.keys.key(id)
    const head = await engine.log.head(0)
    if (head > (await engine.log.floor(0))) await engine.log.read(0, head - 1, 1)
    return [...new Set(rows.map(({ purpose }) => purpose))]
  } finally {
    await close()
  }
}
