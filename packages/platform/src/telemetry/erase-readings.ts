/** Takes away what is left of an erased person: their key is destroyed already or will be, so the rows are only bytes. */
import { bigints, type EngineTx } from '../engine/index.ts'
import { lockWindows } from './chunks.ts'
import { findSeries } from './series.ts'

/**
 * Deletes segments, chunks, gaps and days of a subject, in the transaction that destroys the subject's key. Series rows stay: they
 * hold opaque ids only. The caller deletes the blobs after the commit.
 * @returns rows deleted, and blobs that nothing points to any more
 */
export async function eraseReadings(
  tx: EngineTx,
  tenant: string,
  subject: string,
): Promise<{ rows: number; blobs: string[] }> {
  const ids = await tx.asTenant(tenant, async (tenantTx) => {
    const series = await findSeries(tenantTx, { subject })
    await tenantTx.client.query('delete from tenant.gap where tenant_id = $1 and subject = $2', [tenant, subject])
    await tenantTx.client.query('delete from tenant.measurement_day where tenant_id = $1 and subject_id = $2', [
      ...[tenant, subject],
    ])
    return series.map((one) => one.id)
  })
  await lockWindows(tx, 'shared')
  const open = await tx.client.query('delete from engine.sample where series_id = any($1::bigint[])', [bigints(ids)])
  const sealed = await tx.client.query<{ blob: string | null }>(
    'delete from engine.chunk where series_id = any($1::bigint[]) returning blob',
    [bigints(ids)],
  )
  return {
    rows: (open.rowCount ?? 0) + sealed.rows.length,
    blobs: sealed.rows.flatMap((row) => (row.blob === null ? [] : [row.blob])),
  }
}
