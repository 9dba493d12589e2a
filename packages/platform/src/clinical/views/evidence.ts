/** Observations that show what was measured of a subject at some moments: what an alert points to. */
import type { TenantTx } from '../../engine/index.ts'
import type { Clinical } from '../clinical.ts'

export interface Moment {
  /** Code of the vocabulary. */
  readonly signal: string
  /** ms */
  readonly measuredAt: number
}

/** What an alert points to is enough to look at it; of a stream there would be hundreds. */
const pointedTo = 20

/** References, in the order of time; those that are not there (yet, or of a stream not at all) are left out. */
export async function observationsOf(
  clinical: Pick<Clinical, 'openAll'>,
  tx: TenantTx,
  subject: string,
  moments: readonly Moment[],
): Promise<{ reference: string }[]> {
  const times = [...new Set(moments.map(({ measuredAt }) => measuredAt))].sort((a, b) => b - a).slice(0, pointedTo)
  if (times.length === 0) return []
  const { rows } = await tx.client.query<{ rid: string; at: string }>(
    `select rid, at from tenant.clinical_resource
      where tenant_id = $1 and subject_id = $2 and type = 'Observation' and at = any($3::bigint[]) and deleted_at is null
      order by at, seq limit 200`,
    [tx.tenant, subject, times],
  )
  const opened = await clinical.openAll(
    tx,
    rows.map(({ rid }) => rid),
  )
  const told = new Set(moments.map(({ signal, measuredAt }) => `${signal} ${measuredAt}`))
  return rows.flatMap(({ rid, at }) => {
    const stored = opened.get(rid)
    const isOfIt = stored?.signals?.some((signal) => told.has(`${signal} ${at}`)) === true
    return stored !== undefined && isOfIt ? [{ reference: `Observation/${stored.id}` }] : []
  })
}
