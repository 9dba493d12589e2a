/** What a subject wears now: which devices, since when, heard by which gateway, how often. For those who wait for them. */
import type { EpochMs } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { type FleetTables, toMs, toMsOrNull } from './schema.ts'

export interface WornDevice {
  readonly device: string
  /**
   * The gateway it is heard by; null when it speaks for itself. Of a gateway that connects by itself, as a device of the same name,
   * that device's id: its connection comes and goes under that.
   */
  readonly gateway: string | null
  readonly since: EpochMs
  /** How often it measures, ms; null when nobody said. */
  readonly intervalMs: number | null
}

/** Devices whose assignment to the subject is open, in the order of their ids. */
export const wornDevices = (engine: Engine, tenant: string, subject: string): Promise<WornDevice[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const rows = await tx
      .tables<FleetTables>()
      .selectFrom('assignment')
      .innerJoin('device', (join) =>
        join.onRef('device.id', '=', 'assignment.device_id').onRef('device.tenant_id', '=', 'assignment.tenant_id'),
      )
      .leftJoin('gateway', (join) =>
        join.onRef('gateway.id', '=', 'device.gateway_id').onRef('gateway.tenant_id', '=', 'device.tenant_id'),
      )
      .leftJoin('device as speaking', (join) =>
        join.onRef('speaking.name', '=', 'gateway.name').onRef('speaking.tenant_id', '=', 'gateway.tenant_id'),
      )
      .select([
        'device.id',
        'device.gateway_id',
        'speaking.id as speaking_id',
        'device.expected_interval_ms',
        'assignment.from_at',
      ])
      .where('assignment.subject_id', '=', subject)
      .where('assignment.superseded_at', 'is', null)
      .where('assignment.to_at', 'is', null)
      .orderBy('device.id')
      .execute()
    return rows.map((row) => ({
      ...{ device: row.id, gateway: row.speaking_id ?? row.gateway_id, since: toMs(row.from_at) },
      intervalMs: toMsOrNull(row.expected_interval_ms),
    }))
  })
