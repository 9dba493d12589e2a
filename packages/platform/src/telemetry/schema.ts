/** Kysely types of telemetry's tenant tables. engine.sample and engine.chunk are reached by `pg` with binary arrays. */
import type { Generated } from 'kysely'

export interface TelemetryTables {
  series: {
    id: Generated<string>
    tenant_id: string
    device: string
    signal: string
    assignment: string | null
    subject: string | null
    unit: string
    expected_interval_ms: string | null
    learned_interval_ms: string | null
    worn_until_ms: string | null
    created_at: Generated<Date>
  }
  gap: {
    id: string
    tenant_id: string
    series_id: string | null
    device: string | null
    subject: string | null
    signal: string | null
    from_ms: string
    to_ms: string | null
    reason: GapReason
  }
}

/** Why nothing came: nobody knows; the device was not connected; Careloop itself did not hear. */
export type GapReason = 'no-data' | 'offline' | 'deaf'
