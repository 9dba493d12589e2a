/**
 * What devices told of themselves, from the reading log into their status: connection, last contact, attributes. The log is the
 * truth; this is what a page shows. When a door process goes down, by itself or by a kill, all its connections have ended.
 */
import type { DeviceReported, EpochMs, LogEntry } from '@careloop/contract'
import type { Engine, EngineTx } from '../engine/index.ts'
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
    for (const [device, ofDevice] of byDevice) await noteDevice(engine, tx, tenant, device, ofDevice)
  }
}

interface Status {
  connected: boolean
  /** The door process that holds the connection, and the connection. */
  process: string | null
  connection: string | null
  lastConnectedAt: EpochMs | null
  reportedAt: EpochMs
  attributes: Attributes
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
        }
      : { connected: false, process: null, connection: null, lastConnectedAt: null, reportedAt: 0, attributes: {} }
    const after = reports.reduce(withReport, before)
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

/** Pure: a status after one more report. Attributes add up; a will or a disconnect ends the connection that it tells of. */
export function withReport(status: Status, report: DeviceReported): Status {
  const after = { ...status, reportedAt: Math.max(status.reportedAt, report.receivedAt) }
  const { process = null, connection = null, receivedAt } = report
  if (report.what === 'connected')
    return { ...after, connected: true, process, connection, lastConnectedAt: receivedAt }
  const told = { ...after, attributes: { ...status.attributes, ...report.attributes } }
  if (report.what === 'attributes' || report.what === 'status') return told
  const heard = report.what === 'last-will' ? told : after
  return isOfAnother(status, report) ? heard : { ...heard, connected: false, process: null, connection: null }
}

/** The device has connected anew, perhaps to another process, before the end of its former connection was told. */
const isOfAnother = (status: Status, { process, connection }: DeviceReported): boolean =>
  (connection !== undefined && status.connection !== null && connection !== status.connection) ||
  (process !== undefined && status.process !== null && process !== status.process)
