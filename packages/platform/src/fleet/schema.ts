/** Tables of the fleet room as Kysely sees them. `bigint` columns come as text from the driver. */
import type { DeviceClassification } from '@careloop/contract'
import type { ColumnType, Generated } from 'kysely'

export type MsColumn = ColumnType<string, number, number>
export type NullableMsColumn = ColumnType<string | null, number | null, number | null>

export const toMs = (column: string): number => Number(column)
export const toMsOrNull = (column: string | null): number | null => (column === null ? null : Number(column))

type TenantId = Generated<string>

export interface GatewayTable {
  tenant_id: TenantId
  id: string
  name: string
  site_id: string | null
  enrolled_at: MsColumn
}

export interface DeviceTable {
  tenant_id: TenantId
  id: string
  name: string
  classification: DeviceClassification
  profile: string
  gateway_id: string | null
  expected_interval_ms: NullableMsColumn
  time_zone: string | null
  identity: Buffer
  address_hmac: Buffer | null
  settings: Buffer
  settings_version: number
  enrolled_at: MsColumn
  /** 0 = as it was enrolled. */
  changed_at: ColumnType<string, number | undefined, number>
}

export interface DeviceStatusTable {
  tenant_id: TenantId
  device_id: string
  connected: boolean
  last_connected_at: NullableMsColumn
  process: string | null
  connection: string | null
  reported_at: MsColumn
  attributes: Buffer
}

export interface AssignmentTable {
  tenant_id: TenantId
  id: string
  version: number
  device_id: string
  subject_id: string
  from_at: MsColumn
  to_at: NullableMsColumn
  recorded_at: MsColumn
  recorded_by: string
  superseded_at: NullableMsColumn
  superseded_by: string | null
  superseded_reason: Buffer | null
}

export interface DeviceCredentialTable {
  tenant_id: TenantId
  id: string
  device_id: string
  kind: 'token' | 'certificate'
  label: string | null
  created_at: MsColumn
  expires_at: NullableMsColumn
  revoked_at: NullableMsColumn
  revoked_by: string | null
  followed_by: string | null
}

export interface ClaimCodeTable {
  tenant_id: TenantId
  id: string
  device_id: string
  created_at: MsColumn
  created_by: string
  expires_at: MsColumn
  used_at: NullableMsColumn
  revoked_at: NullableMsColumn
}

export interface DeviceOddityTable {
  tenant_id: TenantId
  device_id: string
  reason: string
  told_at: MsColumn
}

export interface FleetTables {
  gateway: GatewayTable
  device: DeviceTable
  device_status: DeviceStatusTable
  assignment: AssignmentTable
  device_credential: DeviceCredentialTable
  claim_code: ClaimCodeTable
  device_oddity: DeviceOddityTable
}
