/**
 * What devices told of themselves, from the reading log into their status: connection, last contact, attributes. The log is the
 * truth; this is what a page shows.
 */
import type { DeviceReported, EpochMs } from '@careloop/contract'
import type { Engine, EngineTx } from '../engine/index.ts'
import { type FleetTables, toMs, toMsOrNull } from './schema.ts'
import { openPart, sealPart, tenantKey } from './sealed-parts.ts'

type Attributes = DeviceReported['attributes']

/** Takes in reports in the order of the log. Reports of devices that no longer exist are passed over. */
export async function noteReports(engine: Engine, tx: EngineTx, reports: readonly DeviceReported[]): Promise<void> {
  for (const [tenant, ofTenant] of Map.groupBy(reports, (report) => report.tenant)) {
    const byDevice = Map.groupBy(ofTenant, (report) => report.device)
    for (const [device, ofDevice] of byDevice) await noteDevice(engine, tx, tenant, device, ofDevice)
  }
}

interface Status {
  connected: boolean
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
          lastConnectedAt: toMsOrNull(row.last_connected_at),
          reportedAt: toMs(row.reported_at),
          attributes: openPart<Attributes>(key, 'attributes', device, row.attributes),
        }
      : { connected: false, lastConnectedAt: null, reportedAt: 0, attributes: {} }
    const after = reports.reduce(withReport, before)
    const columns = {
      connected: after.connected,
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

/** Pure: a status after one more report. Attributes add up; a will or a disconnect ends the connection. */
export function withReport(status: Status, report: DeviceReported): Status {
  const reportedAt = Math.max(status.reportedAt, report.receivedAt)
  if (report.what === 'connected') return { ...status, reportedAt, connected: true, lastConnectedAt: report.receivedAt }
  if (report.what === 'disconnected' || report.what === 'last-will') return { ...status, reportedAt, connected: false }
  return { ...status, reportedAt, attributes: { ...status.attributes, ...report.attributes } }
}
