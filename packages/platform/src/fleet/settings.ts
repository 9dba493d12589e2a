/** Settings of a device: JSON that Careloop sends down, versioned, sealed at rest. */
import type { DeviceSettings, SettingsView } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { audited, type By } from '../subjects/index.ts'
import { deviceNotFound, lockDevice } from './devices.ts'
import type { FleetTables } from './schema.ts'
import { openPart, sealPart, tenantKey } from './sealed-parts.ts'

/** Puts new settings in place; the MQTT door sends them on `DeviceSettingsChanged`. @throws Failure `device-not-found` */
export async function setSettings(
  engine: Engine,
  by: By,
  device: string,
  settings: DeviceSettings,
): Promise<SettingsView> {
  const key = await tenantKey(engine, by.tenant)
  return engine.db.asTenant(by.tenant, async (tx) => {
    const version = (await lockDevice(tx, device)).settings_version + 1
    await tx
      .tables<FleetTables>()
      .updateTable('device')
      .set({ settings: sealPart(key, 'settings', device, settings), settings_version: version })
      .where('id', '=', device)
      .execute()
    await tx.publish({ type: 'DeviceSettingsChanged', device })
    await audited(tx, by, 'update', 'device', { id: device, purpose: 'HOPERAT' })
    return { version, settings }
  })
}

/**
 * What the device is to be told; version 0 and empty before anybody set any. Audited when a person reads them (`by`), not when
 * they are sent to the device itself.
 * @throws Failure `device-not-found`
 */
export async function settingsOf(engine: Engine, tenant: string, device: string, by?: By): Promise<SettingsView> {
  const key = await tenantKey(engine, tenant)
  return engine.db.asTenant(tenant, async (tx) => {
    const row = await tx
      .tables<FleetTables>()
      .selectFrom('device')
      .select(['settings', 'settings_version'])
      .where('id', '=', device)
      .executeTakeFirst()
    if (!row) throw deviceNotFound()
    if (by) await audited(tx, by, 'read', 'device', { id: device, purpose: 'HOPERAT' })
    return {
      version: row.settings_version,
      settings: openPart<DeviceSettings>(key, 'settings', device, row.settings),
    }
  })
}
