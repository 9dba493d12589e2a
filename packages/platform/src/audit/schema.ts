import type { Generated } from 'kysely'

/** The room's tables, for Kysely: `tx.tables<AuditTables>()`. */
export interface AuditTables {
  audit_entry: AuditEntryTable
}

export interface AuditEntryTable {
  tenant_id: string
  /** bigint as text; grows in the order of writing. */
  id: Generated<string>
  at: Generated<Date>
  principal_kind: string
  principal_id: string
  action: string
  outcome: string
  resource: string
  resource_id: string | null
  subject_id: string | null
  purpose: string
  request_id: string | null
  detail_key_id: string | null
  detail: Buffer | null
  xid: Generated<string>
  times: Generated<number>
}
