/** Finding a device of one organisation by what others call it: its name or id, or the address it sends under. */
import type { Engine } from '../engine/index.ts'
import { addressHmac } from './radio-identity.ts'
import type { FleetTables } from './schema.ts'

const uuidShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A name never looks like an id, so one word is one or the other. */
export const idOfNamed = (engine: Engine, tenant: string, nameOrId: string): Promise<string | undefined> =>
  engine.db.asTenant(tenant, async (tx) => {
    const column = uuidShape.test(nameOrId) ? 'id' : 'name'
    const query = tx.tables<FleetTables>().selectFrom('device').select('id').where(column, '=', nameOrId)
    return (await query.executeTakeFirst())?.id
  })

export async function idOfAddressed(engine: Engine, tenant: string, address: string): Promise<string | undefined> {
  const hmac = await addressHmac(engine, tenant, address)
  return engine.db.asTenant(tenant, async (tx) => {
    const query = tx.tables<FleetTables>().selectFrom('device').select('id').where('address_hmac', '=', hmac)
    return (await query.executeTakeFirst())?.id
  })
}
