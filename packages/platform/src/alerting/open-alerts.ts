/** What is open about some subjects, for pages that show many at once. */
import type { Engine, TenantTx } from '../engine/index.ts'
import { type Alert, alertsOf } from './alerts.ts'
import type { AlertingTables } from './schema.ts'

/** Alerts of these subjects that nobody has closed, by subject, oldest first. Not audited: the caller says what it shows. */
export async function openAlertsOf(
  engine: Engine,
  tx: TenantTx,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, readonly Alert[]>> {
  if (subjects.length === 0) return new Map()
  const rows = await tx
    .tables<AlertingTables>()
    .selectFrom('alert')
    .select('id')
    .where('subject_id', 'in', [...subjects])
    .where('handling', '<>', 'closed')
    .orderBy('raised_at')
    .orderBy('id')
    .execute()
  const ids = rows.map(({ id }) => id)
  const alerts = await alertsOf(engine, tx, ids)
  return Map.groupBy(
    ids.flatMap((id) => alerts.get(id) ?? []),
    (alert) => alert.subject,
  )
}
