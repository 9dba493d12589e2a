/**
 * What devices told of themselves, from the reading log into their status: connection, last contact, attributes. The log is the
 * truth; this is what a page shows. When a door process goes down, by itself or by a kill, all its connections have ended.
 */
import { type DeviceReported, type EpochMs, Failure, type LogEntry } from '@careloop/contract'
import { Counter } from 'prom-client'
import type { Engine, EngineTx } from '../engine/index.ts'
import { mergeAttributes } from './attribute-bounds.ts'
import { type FleetTables, toMs, toMsOrNull } from './schema.ts'
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
    for (const [device, ofDevice] of byDevice) await noteOrPass(engine, tx, tenant, device, ofDevice)
  }
}

/**
 * One device whose status cannot be written must not keep the status of all others from being written. What may pass by itself
 * (the database is away) is tried again, with all.
 */
async function noteOrPass(
  engine: Engine,
  tx: EngineTx,
  tenant: string,
  device: string,
  reports: readonly DeviceReported[],
): Promise<void> {
  await tx.client.query('savepoint one_device')
  try {
    await noteDevice(engine, tx, tenant, device, reports)
    await tx.client.query('release savepoint one_device')
  } catch (err) {
    if (mayPass(err)) throw err
    await tx.client.query('rollback to savepoint one_device')
    passedOver(engine).inc(reports.length)
    engine.watch.log.error({ err, tenant, device }, 'the status of a device could not be noted; it is passed over')
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

async function noteDevice(
  engine: Engine,
  tx: EngineTx,
  tenant: string,
  device: string,
  reports: readonly DeviceReported[],
): Promise<void> {
  const key = await tenantKey(engine, tenant)
  await tx.asTenant(tenant, async (tenantTx) => {
    const tables = tenantTx.tables<FleetTables>()
    const exists = await tables.selectFrom('device').select('id').where('id', '=', device).executeTakeFirst()
    if (!exists) return
    const row = await tables.selectFrom('device_status').selectAll().where('device_id', '=', device).executeTakeFirst()
    const before: Status = row
      ? {
          connected: row.connected,
          process: row.process,
          connection: row.connection,
          lastConnectedAt: toMsOrNull(row.last_connected_at),
          reportedAt: toMs(row.reported_at),
          attributes: openPart<Attributes>(key, 'attributes', device, row.attributes),
          dropped: 0,
        }
      : nothingYet
    const after = reports.reduce(withReport, before)
    if (after.dropped > 0) droppedAttributes(engine).inc(after.dropped)
    const columns = {
      connected: after.connected,
      process: after.process,
      connection: after.connection,
      last_connected_at: after.lastConnectedAt,
      reported_at: after.reportedAt,
      attributes: sealPart(key, 'attributes', device, after.attributes),
    }
    await tables
      .insertInto('device_status')
      .values({ device_id: device, ...columns })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'device_id']).doUpdateSet(columns))
      .execute()
  })
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
