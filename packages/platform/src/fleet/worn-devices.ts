/** What a subject wears now: which devices, since when, heard by which gateway, how often. For those who wait for them. */
import type { EpochMs } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { toMs, toMsOrNull } from './schema.ts'

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

interface WornRow {
  readonly subject: string
  readonly device: string
  readonly gateway: string | null
  readonly since: string
  readonly interval: string | null
}

/** Devices whose assignment to each of these subjects is open, in the order of their ids; subjects without one are absent. */
export const wornDevices = (
  engine: Engine,
  tenant: string,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, readonly WornDevice[]>> =>
  engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<WornRow>(
      `select a.subject_id as subject, d.id as device, coalesce(s.id, d.gateway_id) as gateway, a.from_at as since,
              d.expected_interval_ms as interval
         from tenant.assignment a
         join tenant.device d on d.tenant_id = $1 and d.id = a.device_id
         left join tenant.gateway g on g.tenant_id = $1 and g.id = d.gateway_id
         left join tenant.device s on s.tenant_id = $1 and s.name = g.name
        where a.tenant_id = $1 and a.subject_id = any($2::uuid[]) and a.superseded_at is null and a.to_at is null
        order by d.id`,
      [tenant, subjects],
    )
    const worn = new Map<string, WornDevice[]>()
    for (const { subject, device, gateway, since, interval } of rows) {
      const one = { device, gateway, since: toMs(since), intervalMs: toMsOrNull(interval) }
      worn.set(subject, [...(worn.get(subject) ?? []), one])
    }
    return worn
  })
