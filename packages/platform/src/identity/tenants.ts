/** Organisations. Each is a tenant: an island behind row-level security. */
import type { Engine } from '../engine/index.ts'
import { type ActedBy, byConsole, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'

/** @returns the tenant's id. @throws Failure `tenant-exists` */
export async function createTenant(engine: Engine, name: string, by: ActedBy = byConsole): Promise<string> {
  const tenant = engine.ids.uuid()
  await engine.db.asEngine(async (tx) => {
    const { rowCount } = await tx.client.query(
      'insert into engine.tenant (id, name) values ($1, $2) on conflict (name) do nothing',
      [tenant, name],
    )
    if (rowCount !== 1)
      throw fail('tenant-exists', 'An organisation of this name exists. Choose another.', { pointer: '/body/tenant' })
    await recordAct(tx, { tenant, by, action: 'create', resource: 'tenant', id: tenant })
  })
  return tenant
}

/** @returns the id of the tenant with this name or id. @throws Failure `tenant-not-found` */
export async function findTenant(engine: Engine, nameOrId: string): Promise<string> {
  const { rows } = await engine.db.pool.query<{ id: string }>(
    'select id from engine.tenant where name = $1 or id::text = $1',
    [nameOrId],
  )
  if (rows[0] === undefined) throw fail('tenant-not-found', 'No such organisation. `careloop tenant list` shows them.')
  return rows[0].id
}

/** @throws Failure `tenant-not-found` */
export async function tenantName(engine: Engine, tenant: string): Promise<string> {
  const { rows } = await engine.db.pool.query<{ name: string }>('select name from engine.tenant where id = $1', [
    tenant,
  ])
  if (rows[0] === undefined) throw fail('tenant-not-found', 'No such organisation. `careloop tenant list` shows them.')
  return rows[0].name
}

/** Oldest first. */
export async function listTenants(engine: Engine): Promise<{ id: string; name: string }[]> {
  const { rows } = await engine.db.pool.query<{ id: string; name: string }>(
    'select id, name from engine.tenant order by created_at, id',
  )
  return rows
}
