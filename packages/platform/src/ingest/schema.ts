/** Kysely types of the tenant tables that ingest owns. */
export interface IngestTables {
  quarantine: QuarantineTable
}

export interface QuarantineTable {
  tenant_id: string
  id: string
  device_id: string | null
  reason: string
  door: string
  format: string
  received_at: string | number
  position: string | number
  bytes: number
  key_id: string
  body: Buffer
  status: 'held' | 'replayed' | 'dismissed'
  settled_at: string | number | null
  outcome: string | null
}
