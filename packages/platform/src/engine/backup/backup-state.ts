/** What this database knows of its backups: the row that the page, the doctor and the measures read. */
import type { EpochMs } from '@careloop/contract'
import type { QueryResultRow } from 'pg'

/** A pool or one connection. */
interface Asked {
  query<T extends QueryResultRow>(sql: string, values?: unknown[]): Promise<{ rows: T[] }>
}

export interface BackupState {
  readonly baseId: string | null
  readonly baseAt: EpochMs | null
  readonly baseBytes: number | null
  readonly basePutBytes: number | null
  readonly wantedAt: EpochMs | null
  readonly walAt: EpochMs | null
  readonly ledgerAt: EpochMs | null
  readonly walLostAt: EpochMs | null
  readonly errorCode: string | null
  readonly errorSince: EpochMs | null
  readonly verifiedAt: EpochMs | null
  readonly verifiedBase: string | null
  readonly reportedAt: EpochMs | null
  readonly restoredAt: EpochMs | null
  readonly restoredBase: string | null
  readonly restoredUntil: EpochMs | null
}

const COLUMNS: Readonly<Record<keyof BackupState, string>> = {
  ...{ baseId: 'base_id', baseAt: 'base_at', baseBytes: 'base_bytes', basePutBytes: 'base_put_bytes' },
  ...{ wantedAt: 'wanted_at', walAt: 'wal_at', ledgerAt: 'ledger_at', walLostAt: 'wal_lost_at' },
  ...{ errorCode: 'error_code', errorSince: 'error_since', verifiedAt: 'verified_at', verifiedBase: 'verified_base' },
  ...{ reportedAt: 'reported_at', restoredAt: 'restored_at', restoredBase: 'restored_base' },
  ...{ restoredUntil: 'restored_until' },
}
const fields = Object.keys(COLUMNS) as (keyof BackupState)[]
const isTime = (field: keyof BackupState): boolean => /At$|Since$|Until$/.test(field)

export async function readBackupState(database: Asked): Promise<BackupState> {
  const list = fields.map((field) =>
    isTime(field)
      ? `floor(extract(epoch from ${COLUMNS[field]}) * 1000)::float8 as "${field}"`
      : `${COLUMNS[field]}${/Bytes$/.test(field) ? '::float8' : ''} as "${field}"`,
  )
  const { rows } = await database.query<BackupState>(`select ${list.join(', ')} from engine.backup`)
  return rows[0]!
}

/** @param change times in ms */
export async function writeBackupState(database: Asked, change: Partial<BackupState>): Promise<void> {
  const changed = fields.filter((field) => change[field] !== undefined)
  if (changed.length === 0) return
  const set = changed.map((field, i) =>
    isTime(field) ? `${COLUMNS[field]} = to_timestamp($${i + 1}::float8 / 1000.0)` : `${COLUMNS[field]} = $${i + 1}`,
  )
  await database.query(
    `update engine.backup set ${set.join(', ')}`,
    changed.map((field) => change[field]),
  )
}
