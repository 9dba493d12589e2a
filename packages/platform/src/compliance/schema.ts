import type { ColumnType, Generated } from 'kysely'

type TenantId = Generated<string>
/** bigint, ms since epoch: written as a number, read as text. */
type Ms = ColumnType<string, number, number>
type NullableMs = ColumnType<string | null, number | null, number | null>

export interface ComplianceTables {
  watched_record: {
    tenant_id: TenantId
    subject_id: string
    since: Ms
    by_actor: string
    key_id: string
    reason: Buffer
  }
  unusual_access: {
    tenant_id: TenantId
    id: string
    kind: 'volume' | 'own-name' | 'watched-record'
    day: string
    user_id: string
    subject_id: string | null
    count: number | null
    usual: number | null
    found_at: Ms
  }
  unusual_access_checked: { tenant_id: TenantId; until: string }
  breach: {
    tenant_id: TenantId
    id: string
    status: 'assessing' | 'notifiable' | 'low-probability' | 'closed'
    discovered_at: Ms
    opened_at: Ms
    opened_by: string
    scope_from: Ms
    scope_to: Ms
    actors: string[]
    subjects: string[]
    affected: number
    computed_at: Ms
    individuals_at: NullableMs
    hhs_at: NullableMs
    media_at: NullableMs
    key_id: string
    body: Buffer
    version: number
  }
  breach_person: {
    tenant_id: TenantId
    breach_id: string
    subject_id: string
    first_at: Ms
    last_at: Ms
    times: number
  }
}
