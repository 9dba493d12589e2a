/** Tables of the subjects room as Kysely sees them. `bigint` columns come as text from the driver: see `toMs`. */
import type { ConsentPurpose, ErasureBasis, ErasureView, GranteeKind, SubjectKind } from '@careloop/contract'
import type { ColumnType, Generated, Selectable } from 'kysely'

/** ms since epoch in a bigint column. */
export type MsColumn = ColumnType<string, number, number>
export type NullableMsColumn = ColumnType<string | null, number | null, number | null>

export const toMs = (column: string): number => Number(column)
export const toMsOrNull = (column: string | null): number | null => (column === null ? null : Number(column))

type TenantId = Generated<string>

export interface SiteTable {
  tenant_id: TenantId
  id: string
  name: string
  time_zone: string
  created_at: MsColumn
}

export interface CareTeamTable {
  tenant_id: TenantId
  id: string
  name: string
  site_id: string | null
  created_at: MsColumn
  changed_at: ColumnType<string, number | undefined, number>
}

export interface CareTeamMemberTable {
  tenant_id: TenantId
  team_id: string
  user_id: string
}

export interface SubjectTable {
  tenant_id: TenantId
  id: string
  kind: SubjectKind
  time_zone: string
  site_id: string | null
  team_id: string | null
  key_id: string
  body: Buffer
  version: number
  created_at: MsColumn
  updated_at: MsColumn
  touched: Generated<string>
  by_fhir: Generated<boolean>
  /** Null = it lives. */
  erased_at: ColumnType<string | null, number | null | undefined, number | null>
}

export interface ErasureTable {
  tenant_id: TenantId
  id: string
  subject_id: string
  status: ErasureView['status']
  basis: ErasureBasis
  proposed_by: string
  proposed_at: MsColumn
  decided_by: string | null
  decided_at: NullableMsColumn
  key_id: string
  reason: Buffer
}

export interface LegalHoldTable {
  tenant_id: TenantId
  id: string
  subject_id: string
  placed_by: string
  placed_at: MsColumn
  released_by: string | null
  released_at: NullableMsColumn
  key_id: string
  reason: Buffer
  release_reason: Buffer | null
}

export type ErasureRow = Selectable<ErasureTable>
export type LegalHoldRow = Selectable<LegalHoldTable>

export interface SubjectIdentifierTable {
  tenant_id: TenantId
  subject_id: string
  system: string
  hmac: Buffer
  is_unique: boolean
}

export interface EnrolmentTable {
  tenant_id: TenantId
  id: string
  subject_id: string
  program: string
  owner_id: string
  backup_id: string | null
  from_at: MsColumn
  to_at: NullableMsColumn
  created_at: MsColumn
  /** 0 = as it was made. */
  changed_at: ColumnType<string, number | undefined, number>
}

export interface SightGrantTable {
  tenant_id: TenantId
  id: string
  subject_id: string
  user_id: string
  why: 'task' | 'break-glass' | 'self' | 'consent'
  source_id: string
  enrolment_id: string | null
  from_at: MsColumn
  until_at: NullableMsColumn
  ended_at: NullableMsColumn
}

export interface ConsentTable {
  tenant_id: TenantId
  id: string
  subject_id: string
  grantee_kind: GranteeKind
  grantee_id: string | null
  status: 'active' | 'inactive' | 'entered-in-error'
  from_at: MsColumn
  until_at: NullableMsColumn
  ended_at: NullableMsColumn
  version: number
  recorded_at: MsColumn
  recorded_by: string
}

/** `body` and `reason` are sealed under the subject's key. */
export interface ConsentVersionTable {
  tenant_id: TenantId
  consent_id: string
  version: number
  at: MsColumn
  actor: string
  key_id: string
  body: Buffer
  reason: Buffer | null
}

export interface ConsentSettingTable {
  tenant_id: TenantId
  holds_part2: boolean
  own_services: string[]
  changed_at: MsColumn
}

/** `what` is sealed under the subject's key. */
export interface DisclosureTable {
  tenant_id: TenantId
  id: string
  subject_id: string
  at: MsColumn
  recipient_kind: 'caregiver' | 'integration' | 'research' | 'court' | 'other'
  recipient_id: string | null
  purpose: ConsentPurpose
  consent_id: string | null
  actor: string
  request_id: string | null
  key_id: string
  what: Buffer
}

export interface SubjectsTables {
  site: SiteTable
  care_team: CareTeamTable
  care_team_member: CareTeamMemberTable
  subject: SubjectTable
  subject_identifier: SubjectIdentifierTable
  enrolment: EnrolmentTable
  sight_grant: SightGrantTable
  erasure: ErasureTable
  legal_hold: LegalHoldTable
  consent: ConsentTable
  consent_version: ConsentVersionTable
  consent_setting: ConsentSettingTable
  disclosure: DisclosureTable
}
