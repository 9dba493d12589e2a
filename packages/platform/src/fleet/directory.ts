/**
 * What doors look up before they know a tenant: `engine.device_credential` and `engine.device_directory`, kept in step by the
 * database within each change's own transaction. Read as the login role; nothing in them tells of a person.
 */
import type { AssignmentSpan, DeviceClassification } from '@careloop/contract'
import type { ClientBase } from 'pg'
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
  /** Of its gateway. */
  readonly site: string | null
  /** Sealed: `radioReader` opens it. */
  readonly identity: Buffer
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

/** IANA zone of a subject or a site. */
export interface ListedZone {
  readonly of: string
  readonly timeZone: string
}

export interface DirectoryPage {
  readonly devices: readonly ListedDevice[]
  readonly zones: readonly ListedZone[]
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
    // After the devices, so that the zone of every wearer is there.
    const zones = await client.query<ListedZone>(`${ZONES} where touched >= $1`, [since])
    return {
      devices: devices.rows.map(deviceOf),
      zones: zones.rows,
      credentials: credentials.rows.map(credentialOf),
      horizon: horizon.rows[0]!.xmin,
    }
  })

/** One credential with its device, as it stands now; null when unknown. */
export const readByCredential = (
  db: Db,
  kind: CredentialKind,
  digest: Buffer,
): Promise<(FoundDevice & { credential: ListedCredential }) | null> =>
  db.asEngine(async ({ client }) => {
    const found = await client.query<CredentialRow>(`${CREDENTIALS} where kind = $1 and digest = $2`, [kind, digest])
    const row = found.rows[0]
    if (!row) return null
    const devices = await client.query<DeviceRow>(`${DEVICES} where device_id = $1`, [row.device_id])
    return devices.rows[0] ? { credential: credentialOf(row), ...(await withZones(client, devices.rows[0])) } : null
  })

/** One device, and the zones of those who wear it and of its site. */
export interface FoundDevice {
  readonly device: ListedDevice
  readonly zones: readonly ListedZone[]
}

/** One device of whatever tenant, as it stands now; null when unknown. */
export const readByDevice = (db: Db, device: string): Promise<FoundDevice | null> =>
  db.asEngine(async ({ client }) => {
    const { rows } = await client.query<DeviceRow>(`${DEVICES} where device_id = $1`, [device])
    return rows[0] ? withZones(client, rows[0]) : null
  })

/** Devices of that name or id in all organisations, for what is noticed before one is known. At most three. */
export const readByWord = (db: Db, nameOrId: string): Promise<readonly ListedDevice[]> =>
  db.asEngine(async ({ client }) => {
    const column = uuidShape.test(nameOrId) ? 'device_id' : 'name'
    const { rows } = await client.query<DeviceRow>(`${DEVICES} where ${column} = $1 limit 3`, [nameOrId])
    return rows.map(deviceOf)
  })

async function withZones(client: ClientBase, row: DeviceRow): Promise<FoundDevice> {
  const device = deviceOf(row)
  const of = [...device.spans.map((span) => span.subject), ...(device.site === null ? [] : [device.site])]
  const { rows } = await client.query<ListedZone>(`${ZONES} where id = any($1::uuid[])`, [of])
  return { device, zones: rows }
}

const uuidShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

// ---------------------------------------------------------------- rows

const DEVICES = `
  select device_id, tenant_id, name, classification, profile, expected_interval_ms, time_zone, site_id, identity,
         settings_version, spans
    from engine.device_directory`
const ZONES = 'select id as of, time_zone as "timeZone" from engine.time_zone'
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
  readonly site_id: string | null
  readonly identity: Buffer
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
  site: row.site_id,
  identity: row.identity,
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
