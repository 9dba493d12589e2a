/**
 * What doors look up before they know a tenant: `engine.device_credential` and `engine.device_directory`, kept in step by the
 * database within each change's own transaction. Read as the login role; nothing in them tells of a person.
 */
import type { AssignmentSpan, DeviceClassification } from '@careloop/contract'
import type { Db } from '../engine/index.ts'

export type CredentialKind = 'token' | 'certificate'

export interface ListedDevice {
  readonly tenant: string
  readonly device: string
  readonly name: string
  readonly classification: DeviceClassification
  readonly profile: string
  readonly expectedIntervalMs: number | null
  readonly timeZone: string | null
  readonly settingsVersion: number
  /** What holds now, oldest first. */
  readonly spans: readonly AssignmentSpan[]
}

export interface ListedCredential {
  readonly kind: CredentialKind
  readonly digest: Buffer
  readonly device: string
  readonly credential: string
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

export interface DirectoryPage {
  readonly devices: readonly ListedDevice[]
  readonly credentials: readonly ListedCredential[]
  /** Give it to the next `readDirectory`: everything that this page could not see has a number at or above it. */
  readonly horizon: string
}

/** Everything written by transactions numbered `since` or later: all with `'0'`, a superset of the news with a horizon. */
export const readDirectory = (db: Db, since: string): Promise<DirectoryPage> =>
  db.asEngine(async ({ client }) => {
    // First the horizon, then the rows: later statements see more, never less.
    const horizon = await client.query<{ xmin: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text as xmin')
    const devices = await client.query<DeviceRow>(`${DEVICES} where touched >= $1`, [since])
    const credentials = await client.query<CredentialRow>(`${CREDENTIALS} where touched >= $1`, [since])
    return {
      devices: devices.rows.map(deviceOf),
      credentials: credentials.rows.map(credentialOf),
      horizon: horizon.rows[0]!.xmin,
    }
  })

/** One credential with its device, as it stands now; null when unknown. */
export const readByCredential = (
  db: Db,
  kind: CredentialKind,
  digest: Buffer,
): Promise<{ credential: ListedCredential; device: ListedDevice } | null> =>
  db.asEngine(async ({ client }) => {
    const found = await client.query<CredentialRow>(`${CREDENTIALS} where kind = $1 and digest = $2`, [kind, digest])
    const row = found.rows[0]
    if (!row) return null
    const devices = await client.query<DeviceRow>(`${DEVICES} where device_id = $1`, [row.device_id])
    return devices.rows[0] ? { credential: credentialOf(row), device: deviceOf(devices.rows[0]) } : null
  })

/** One device of a tenant, as it stands now; null when unknown. */
export const readByDevice = (db: Db, tenant: string, device: string): Promise<ListedDevice | null> =>
  db.asEngine(async ({ client }) => {
    const { rows } = await client.query<DeviceRow>(`${DEVICES} where device_id = $1 and tenant_id = $2`, [
      device,
      tenant,
    ])
    return rows[0] ? deviceOf(rows[0]) : null
  })

// ---------------------------------------------------------------- rows

const DEVICES = `
  select device_id, tenant_id, name, classification, profile, expected_interval_ms, time_zone, settings_version, spans
    from engine.device_directory`
const CREDENTIALS =
  'select kind, digest, device_id, credential_id, expires_at, revoked_at from engine.device_credential'

interface DeviceRow {
  readonly device_id: string
  readonly tenant_id: string
  readonly name: string
  readonly classification: DeviceClassification
  readonly profile: string
  readonly expected_interval_ms: string | null
  readonly time_zone: string | null
  readonly settings_version: number
  readonly spans: AssignmentSpan[]
}

interface CredentialRow {
  readonly kind: CredentialKind
  readonly digest: Buffer
  readonly device_id: string
  readonly credential_id: string
  readonly expires_at: string | null
  readonly revoked_at: string | null
}

const numberOrNull = (column: string | null): number | null => (column === null ? null : Number(column))

const deviceOf = (row: DeviceRow): ListedDevice => ({
  tenant: row.tenant_id,
  device: row.device_id,
  name: row.name,
  classification: row.classification,
  profile: row.profile,
  expectedIntervalMs: numberOrNull(row.expected_interval_ms),
  timeZone: row.time_zone,
  settingsVersion: row.settings_version,
  spans: row.spans,
})

const credentialOf = (row: CredentialRow): ListedCredential => ({
  kind: row.kind,
  digest: row.digest,
  device: row.device_id,
  credential: row.credential_id,
  expiresAt: numberOrNull(row.expires_at),
  revokedAt: numberOrNull(row.revoked_at),
})
