/** How long emergency access stands: what the organisation decided, within bounds. */
import type { BreakGlassSetting } from '@careloop/contract'
import { record } from '../../audit/index.ts'
import type { TenantTx } from '../../engine/index.ts'
import { workflowFailure } from '../errors.ts'
import type { ReviewTables } from '../reviews/schema.ts'

/** A shift's half: long enough for an emergency, short enough that nobody keeps it. */
const defaultHours = 4

export async function readSetting(tx: TenantTx): Promise<BreakGlassSetting> {
  const row = await tx.tables<ReviewTables>().selectFrom('break_glass_setting').selectAll().executeTakeFirst()
  return row === undefined ? { hours: defaultHours, version: 0 } : { hours: row.hours, version: row.version }
}

/** What stands already keeps its end. @throws Failure `setting-moved` */
export async function writeSetting(
  tx: TenantTx,
  { hours, version }: BreakGlassSetting,
  by: { readonly actor: string; readonly requestId: string },
): Promise<BreakGlassSetting> {
  const tables = tx.tables<ReviewTables>()
  const next = { hours, version: version + 1 }
  const written =
    version === 0
      ? await tables
          .insertInto('break_glass_setting')
          .values(next)
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
          .then((made) => made.numInsertedOrUpdatedRows)
      : await tables
          .updateTable('break_glass_setting')
          .set(next)
          .where('version', '=', version)
          .executeTakeFirst()
          .then((made) => made.numUpdatedRows)
  if (written !== 1n)
    throw workflowFailure('setting-moved', 'Somebody changed this setting since you read it. Read it again.', {
      pointer: '/body/version',
    })
  await record(tx, { ...by, action: 'update', resource: 'break-glass-setting', purpose: 'SYSADMN' })
  return next
}
