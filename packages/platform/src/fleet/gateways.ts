/** Gateways: edge boxes that speak for devices. For now their name and place. */
import type { GatewayView, NewGateway } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { assertSite, audited, type By } from '../subjects/index.ts'
import { fleetFailure } from './errors.ts'
import { type FleetTables, toMs } from './schema.ts'

/** @throws Failure `gateway-name-taken`, `site-not-found` */
export async function enrolGateway(engine: Engine, by: By, wanted: NewGateway): Promise<GatewayView> {
  const id = engine.ids.uuid()
  const enrolledAt = engine.clock.now()
  const site = wanted.site ?? null
  await engine.db.asTenant(by.tenant, async (tx) => {
    if (site !== null) await assertSite(tx, site, '/body/site')
    const made = await tx
      .tables<FleetTables>()
      .insertInto('gateway')
      .values({ id, name: wanted.name, site_id: site, enrolled_at: enrolledAt })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'name']).doNothing())
      .executeTakeFirst()
    if (made.numInsertedOrUpdatedRows !== 1n)
      throw fleetFailure('gateway-name-taken', 'A gateway has this name already. Choose another name.', {
        pointer: '/body/name',
      })
    await audited(tx, by, 'create', 'gateway', { id, purpose: 'HOPERAT' })
  })
  return { id, name: wanted.name, site, enrolledAt }
}

/** All gateways of an organisation, by name. */
export const listGateways = (engine: Engine, tenant: string): Promise<GatewayView[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const rows = await tx.tables<FleetTables>().selectFrom('gateway').selectAll().orderBy('name').execute()
    return rows.map((row) => ({ id: row.id, name: row.name, site: row.site_id, enrolledAt: toMs(row.enrolled_at) }))
  })
