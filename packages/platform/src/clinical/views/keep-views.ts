/** Makes resources of things, a chunk of things in a transaction of its own: doing it twice changes nothing. */
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { Clinical } from '../clinical.ts'
import type { Dropped, View } from './view.ts'

export interface KeepingViews {
  readonly clinical: Pick<Clinical, 'keepDerived' | 'dropDerived' | 'ridOf'>
  readonly views: readonly View[]
}

/** Things of one transaction: few enough that nobody waits for it long. */
export const chunkSize = 100

export async function keepThings(
  engine: Engine,
  { clinical }: KeepingViews,
  tenant: string,
  view: View,
  ids: readonly string[],
): Promise<void> {
  for (let from = 0; from < ids.length; from += chunkSize) {
    const chunk = ids.slice(from, from + chunkSize)
    const build = await view.open(tenant, chunk)
    await engine.db.asTenant(tenant, async (tx) => {
      const { keep, drop = [] } = await build(tx, chunk)
      await clinical.keepDerived(tx, keep)
      for (const { type, id, at } of await standing(clinical, tx, drop)) await clinical.dropDerived(tx, type, id, at)
    })
  }
}

/** Of what is no more, what there was at all: asked at once. */
async function standing(
  clinical: Pick<Clinical, 'ridOf'>,
  tx: TenantTx,
  dropped: readonly Dropped[],
): Promise<readonly Dropped[]> {
  if (dropped.length === 0) return []
  const rids = await Promise.all(dropped.map(({ type, id }) => clinical.ridOf(tx.tenant, type, id)))
  const { rows } = await tx.client.query<{ rid: string }>(
    `select rid from tenant.clinical_resource
      where tenant_id = $1 and rid = any($2::uuid[]) and is_derived and deleted_at is null`,
    [tx.tenant, rids],
  )
  const found = new Set(rows.map(({ rid }) => rid))
  return dropped.filter((_each, at) => found.has(rids[at]!))
}
