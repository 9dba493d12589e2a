/**
 * What devices told of themselves, from the reading log into their status: connection, last contact, attributes. The log is the
 * truth; this is what a page shows. When a door process goes down, by itself or by a kill, all its connections have ended.
 */
import { type DeviceReported, type EpochMs, Failure, type LogEntry } from '@careloop/contract'
import type { Selectable } from 'kysely'
import { Counter } from 'prom-client'
import type { DataKey, Engine, EngineTx, TenantTx } from '../engine/index.ts'
import { mergeAttributes } from './attribute-bounds.ts'
import { type DeviceStatusTable, type FleetTables, toMs, toMsOrNull } from './schema.ts'
import { openPart, sealPart, tenantKey } from './sealed-parts.ts'

type Attributes = DeviceReported['attributes']

/** Takes in what stands in the log, in its order. */
export async function noteEntries(engine: Engine, tx: EngineTx, entries: readonly LogEntry[]): Promise<void> {
  let reports: DeviceReported[] = []
  for (const entry of entries) {
    if (entry.kind === 'device-reported') reports.push(entry)
    if (entry.kind !== 'door-down') continue
    await noteReports(engine, tx, reports)
    reports = []
    await noteDoorDown(engine, tx, entry.process)
  }
  await noteReports(engine, tx, reports)
}

async function noteDoorDown(engine: Engine, tx: EngineTx, process: string): Promise<void> {
  for (const tenant of await engine.db.tenants())
    await tx.asTenant(tenant, (tenantTx) =>
      tenantTx
        .tables<FleetTables>()
        .updateTable('device_status')
        .set({ connected: false, process: null, connection: null })
        .where('process', '=', process)
        .execute(),
    )
}

/** Reports of devices that no longer exist are passed over. */
async function noteReports(engine: Engine, tx: EngineTx, reports: readonly DeviceReported[]): Promise<void> {
  for (const [tenant, ofTenant] of Map.groupBy(reports, (report) => report.tenant)) {
    const byDevice = Map.groupBy(ofTenant, (report) => report.device)
    // All facts wait for the oldest transaction: a thousand devices that connect at once are two statements, not thousands.
    if (await isNoted(engine, tx, tenant, byDevice)) continue
    for (const [device, ofDevice] of byDevice) {
      if (await isNoted(engine, tx, tenant, new Map([[device, ofDevice]]))) continue
      passedOver(engine).inc(ofDevice.length)
      engine.watch.log.error({ tenant, device }, 'the status of a device could not be noted; it is passed over')
    }
  }
}

type ReportsByDevice = ReadonlyMap<string, readonly DeviceReported[]>

/**
 * One device whose status cannot be written must not keep the status of all others from being written. What may pass by itself
 * (the database is away) is tried again, with all.
 * @returns false: nothing of these was written
 */
async function isNoted(engine: Engine, tx: EngineTx, tenant: string, reports: ReportsByDevice): Promise<boolean> {
  await tx.client.query('savepoint some_devices')
  try {
    const key = await tenantKey(engine, tenant)
    const dropped = await tx.asTenant(tenant, (tenantTx) => noteDevices(tenantTx, key, reports))
    await tx.client.query('release savepoint some_devices')
    if (dropped > 0) droppedAttributes(engine).inc(dropped)
    return true
  } catch (err) {
    if (mayPass(err)) throw err
    await tx.client.query('rollback to savepoint some_devices')
    engine.watch.log.warn({ err, tenant, devices: reports.size }, 'the status of devices could not be noted')
    return false
  }
}

/** PostgreSQL: connection, rollback, resources, operator (classes 08, 40, 53, 57, 58); sockets; failures that say so. */
function mayPass(error: unknown): boolean {
  if (error instanceof Failure) return error.kind.disposition === 'retry'
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' ? /^(08|40|53|57|58)|^E/.test(code) : false
}

interface Status {
  connected: boolean
  /** The door process that holds the connection, and the connection. */
  process: string | null
  connection: string | null
  lastConnectedAt: EpochMs | null
  reportedAt: EpochMs
  attributes: Attributes
  /** Attributes that had no room, while these reports were taken in. */
  dropped: number
}

/** @returns how many attributes had no room */
async function noteDevices(tx: TenantTx, key: DataKey, reports: ReportsByDevice): Promise<number> {
  const { rows } = await tx.client.query<StatusRow>(
    `select device.id as device_id, connected, process, connection, last_connected_at, reported_at, attributes
       from tenant.device left join tenant.device_status
         on device_status.tenant_id = device.tenant_id and device_status.device_id = device.id
      where device.tenant_id = $1 and device.id = any($2::uuid[])`,
    [tx.tenant, [...reports.keys()]],
  )
  const after = rows.map((row): [string, Status] => {
    const before = row.reported_at === null ? nothingYet : statusOf(key, row)
    return [row.device_id, (reports.get(row.device_id) ?? []).reduce(withReport, before)]
  })
  if (after.length > 0) await writeStatus(tx, key, after)
  return after.reduce((sum, [, { dropped }]) => sum + dropped, 0)
}

type StatusRow =
  | Selectable<DeviceStatusTable>
  // The device has none yet.
  | { readonly device_id: string; readonly reported_at: null }

const statusOf = (key: DataKey, row: Selectable<DeviceStatusTable>): Status => ({
  ...{ connected: row.connected, process: row.process, connection: row.connection },
  lastConnectedAt: toMsOrNull(row.last_connected_at),
  reportedAt: toMs(row.reported_at),
  attributes: openPart<Attributes>(key, 'attributes', row.device_id, row.attributes),
  dropped: 0,
})

async function writeStatus(tx: TenantTx, key: DataKey, after: readonly (readonly [string, Status])[]): Promise<void> {
  const column = <T>(of: (status: Status, device: string) => T): T[] => after.map(([device, each]) => of(each, device))
  await tx.client.query(
    `insert into tenant.device_status
       (device_id, connected, process, connection, last_connected_at, reported_at, attributes)
     select * from unnest($1::uuid[], $2::boolean[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bytea[])
     on conflict (tenant_id, device_id) do update set connected = excluded.connected, process = excluded.process,
       connection = excluded.connection, last_connected_at = excluded.last_connected_at,
       reported_at = excluded.reported_at, attributes = excluded.attributes`,
    [
      column((_, device) => device),
      column(({ connected }) => connected),
      column(({ process }) => process),
      column(({ connection }) => connection),
      column(({ lastConnectedAt }) => lastConnectedAt),
      column(({ reportedAt }) => reportedAt),
      column(({ attributes }, device) => sealPart(key, 'attributes', device, attributes)),
    ],
  )
}

const nothingYet: Status = {
  ...{ connected: false, process: null, connection: null, lastConnectedAt: null, reportedAt: 0 },
  ...{ attributes: {}, dropped: 0 },
}

const counterOf =
  (name: string, help: string) =>
  ({ watch: { metrics } }: Engine): Counter =>
    (metrics.getSingleMetric(name) as Counter | undefined) ?? new Counter({ name, help, registers: [metrics] })

const passedOver = counterOf(
  'careloop_fleet_reports_passed_over_total',
  'Reports of devices whose status could not be written; the server log names the devices',
)
const droppedAttributes = counterOf(
  'careloop_fleet_attributes_dropped_total',
  'Attributes that devices told beyond the bound of one device; the device shows why',
)

/** Pure: a status after one more report. Attributes add up; a will or a disconnect ends the connection that it tells of. */
export function withReport(status: Status, report: DeviceReported): Status {
  const after = { ...status, reportedAt: Math.max(status.reportedAt, report.receivedAt) }
  const { process = null, connection = null, receivedAt } = report
  if (report.what === 'connected')
    return { ...after, connected: true, process, connection, lastConnectedAt: receivedAt }
  const { attributes, dropped } = mergeAttributes(status.attributes, report.attributes)
  const told = { ...after, attributes, dropped: status.dropped + dropped.length }
  if (report.what === 'attributes' || report.what === 'status') return told
  const heard = report.what === 'last-will' ? told : after
  return isOfAnother(status, report) ? heard : { ...heard, connected: false, process: null, connection: null }
}

/** The device has connected anew, perhaps to another process, before the end of its former connection was told. */
const isOfAnother = (status: Status, { process, connection }: DeviceReported): boolean =>
  (connection !== undefined && status.connection !== null && connection !== status.connection) ||
  (process !== undefined && status.process !== null && process !== status.process)
