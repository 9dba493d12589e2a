/** Tables of exports as Kysely sees them. `bigint` columns come as text from the driver. */
import type { ColumnType, Generated, Selectable } from 'kysely'

type Whole = ColumnType<string, number | string, number | string>
type Counted = ColumnType<string, number | undefined, number | string>
type Perhaps = ColumnType<string | null, number | string | null | undefined, number | string | null>

export type ExportScope = 'system' | 'patient' | 'group'
export type ExportStatus = 'accepted' | 'running' | 'complete' | 'failed' | 'cancelled'
/** `erased`: somebody of it was erased; `no-access`: who asked has none any more; `broken`: it failed again and again. */
export type ExportError = 'erased' | 'no-access' | 'broken'

export interface ExportTables {
  export_job: {
    tenant_id: Generated<string>
    id: string
    actor: string
    app_id: string | null
    scope: ExportScope
    status: ExportStatus
    error: ColumnType<ExportError | null, ExportError | null | undefined, ExportError | null>
    at: Whole
    xid: Whole
    since: Perhaps
    max_seq: Perhaps
    seq: Counted
    resources: Counted
    attempt: Counted
    tries: ColumnType<number, number | undefined, number>
    finished_at: Perhaps
    expires_at: Perhaps
    blob_key_id: string
    key_id: string
    /** `ExportAsked`, sealed. */
    body: Buffer
  }
  export_file: {
    tenant_id: Generated<string>
    job_id: string
    number: number
    kind: 'output' | 'deleted'
    type: string
    count: number
    ref: string
  }
  export_subject: {
    tenant_id: Generated<string>
    job_id: string
    subject_id: string
    disclosed_at: Perhaps
  }
}

export type JobRow = Selectable<ExportTables['export_job']>
export type FileRow = Selectable<ExportTables['export_file']>
