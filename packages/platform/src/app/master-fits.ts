/** The master key must be the one that wraps what is stored: a new one beside old data would make all of it unreadable. */
import type { MasterKeys } from '../engine/index.ts'
import { appFailure } from './errors.ts'

/** @throws Failure `master-key-foreign` */
export async function assertMasterFits(
  database: { query(sql: string): Promise<{ rows: { master_id: string }[] }> },
  masters: MasterKeys,
): Promise<void> {
  const { rows } = await database.query('select distinct master_id from engine.data_key where wrapped is not null')
  for (const { master_id } of rows)
    if (!(await masters.has(master_id)))
      throw appFailure(
        'master-key-foreign',
        'The master key is not the one that this database was made with. Put the right file back from escrow, or name its path in CARELOOP_MASTER_KEY_FILE.',
      )
}
