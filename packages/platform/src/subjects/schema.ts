/** Tables of the subjects room as Kysely sees them. `bigint` columns come as text from the driver: see `toMs`. */
import type { SubjectKind } from '@careloop/contract'
import type { ColumnType, Generated } from 'kysely'

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
}

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
}

export interface SubjectsTables {
  site: SiteTable
  care_team: CareTeamTable
  care_team_member: CareTeamMemberTable
  subject: SubjectTable
  subject_identifier: SubjectIdentifierTable
  enrolment: EnrolmentTable
}
