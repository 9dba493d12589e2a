/** Which devices these subjects wear now, as a wall board names them: read for all of them at once. */
import type { DeviceView } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import type { FleetTables } from './schema.ts'
import { openPart, tenantKey } from './sealed-parts.ts'

export interface Probe {
  readonly subject: string
  readonly device: string
  /** As staff know it. */
  readonly name: string
  /** null: it never told; devices that bring their messages by HTTP hold no connection. */
  readonly connected: boolean | null
  readonly attributes: DeviceView['attributes']
}

/** In the order of their names. Not audited: the caller says what it shows. */
export async function probesOf(engine: Engine, tenant: string, subjects: readonly string[]): Promise<Probe[]> {
  if (subjects.length === 0) return []
  const key = await tenantKey(engine, tenant)
  return engine.db.asTenant(tenant, async (tx) => {
    const rows = await tx
      .tables<FleetTables>()
      .selectFrom('assignment')
      .innerJoin('device', (join) =>
        join.onRef('device.id', '=', 'assignment.device_id').onRef('device.tenant_id', '=', 'assignment.tenant_id'),
      )
      .leftJoin('device_status', (join) =>
        join
          .onRef('device_status.device_id', '=', 'device.id')
          .onRef('device_status.tenant_id', '=', 'device.tenant_id'),
      )
      .select(['assignment.subject_id', 'device.id', 'device.name', 'device_status.connected'])
      .select(['device_status.last_connected_at', 'device_status.attributes'])
      .where('assignment.subject_id', 'in', subjects)
      .where('assignment.superseded_at', 'is', null)
      .where('assignment.to_at', 'is', null)
      .orderBy('device.name')
      .execute()
    return rows.map((row) => ({
      ...{ subject: row.subject_id, device: row.id, name: row.name },
      connected: row.last_connected_at === null ? null : row.connected,
      attributes: row.attributes === null ? {} : openPart(key, 'attributes', row.id, row.attributes),
    }))
  })
}
