/** Sites: where an organisation works. A site's name is operational, not personal; it stands in plain. */
import type { NewSite, SiteView } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { audited, type By } from './by.ts'
import { subjectFailure } from './errors.ts'
import type { SubjectsTables } from './schema.ts'

/** @throws Failure `site-name-taken` */
export async function createSite(engine: Engine, by: By, wanted: NewSite): Promise<SiteView> {
  const id = engine.ids.uuid()
  await engine.db.asTenant(by.tenant, async (tx) => {
    const made = await tx
      .tables<SubjectsTables>()
      .insertInto('site')
      .values({ id, name: wanted.name, time_zone: wanted.timeZone, created_at: engine.clock.now() })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'name']).doNothing())
      .executeTakeFirst()
    if (made.numInsertedOrUpdatedRows !== 1n)
      throw subjectFailure('site-name-taken', 'A site has this name already. Use it, or choose another name.', {
        pointer: '/body/name',
      })
    await tx.publish({ type: 'SiteChanged', site: id })
    await audited(tx, by, 'create', 'site', { id, purpose: 'HOPERAT' })
  })
  return { id, ...wanted }
}

/** All sites of an organisation, by name. */
export const listSites = (engine: Engine, tenant: string): Promise<SiteView[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const rows = await tx.tables<SubjectsTables>().selectFrom('site').selectAll().orderBy('name').execute()
    return rows.map((row) => ({ id: row.id, name: row.name, timeZone: row.time_zone }))
  })

/** Fails unless the tenant has this site. @throws Failure `site-not-found` */
export async function assertSite(tx: TenantTx, id: string, pointer: string): Promise<void> {
  const found = await tx
    .tables<SubjectsTables>()
    .selectFrom('site')
    .select('id')
    .where('id', '=', id)
    .executeTakeFirst()
  if (!found) throw subjectFailure('site-not-found', 'No site has this id. List the sites.', { pointer })
}
