/** Devices: enrolled once, changed rarely. What may lead to a person (serial number, settings) is sealed. */
import type { DeviceListQuery, DeviceUpdate, DeviceView, NewDevice } from '@careloop/contract'
import type { Selectable } from 'kysely'
import type { DataKey, Engine, TenantTx } from '../engine/index.ts'
import { audited, type By, isSeen, seenOf } from '../subjects/index.ts'
import { fleetFailure } from './errors.ts'
import { addressHmac, type DevicePlate, openPlate, plateOf } from './radio-identity.ts'
import { type DeviceStatusTable, type DeviceTable, type FleetTables, toMs, toMsOrNull } from './schema.ts'
import { openPart, sealPart, tenantKey } from './sealed-parts.ts'

/** Says whether a profile code exists in packages/profiles. */
export type KnowsProfile = (code: string) => boolean

/** @throws Failure `device-name-taken`, `device-address-taken`, `profile-unknown`, `gateway-not-found` */
export async function enrolDevice(
  engine: Engine,
  knowsProfile: KnowsProfile,
  by: By,
  wanted: NewDevice,
): Promise<DeviceView> {
  assertProfile(knowsProfile, wanted.profile)
  const id = engine.ids.uuid()
  const key = await tenantKey(engine, by.tenant)
  const address = await addressHmac(engine, by.tenant, wanted.address)
  return engine.db.asTenant(by.tenant, async (tx) => {
    await assertGateway(tx, wanted.gateway)
    await assertAddressFree(tx, address, id)
    const columns = {
      ...columnsOf(key, id, wanted, plateOf(wanted, undefined), address),
      id,
      name: wanted.name,
      settings: sealPart(key, 'settings', id, {}),
      settings_version: 0,
      enrolled_at: engine.clock.now(),
    }
    const made = await tx
      .tables<FleetTables>()
      .insertInto('device')
      .values(columns)
      .onConflict((conflict) => conflict.columns(['tenant_id', 'name']).doNothing())
      .executeTakeFirst()
      .catch(addressTaken)
    if (made.numInsertedOrUpdatedRows !== 1n)
      throw fleetFailure('device-name-taken', 'A device has this name already. Choose another name.', {
        pointer: '/body/name',
      })
    await tx.publish({ type: 'DeviceEnrolled', device: id })
    // From now on it is known when this gateway is gone: whoever waits for what is behind it must know it too.
    if (await isGatewayName(tx, wanted.name)) tx.beforeCommitAppend([{ kind: 'config-changed', tenant: by.tenant }])
    await audited(tx, by, 'create', 'device', { id, purpose: 'HOPERAT' })
    return viewOfOne(tx, key, id)
  })
}

/**
 * Puts a new state in place; the name stays, and the bind key where `wanted` names none.
 * @throws Failure `device-not-found`, `device-address-taken`, `profile-unknown`, `gateway-not-found`
 */
export async function updateDevice(
  engine: Engine,
  knowsProfile: KnowsProfile,
  by: By,
  id: string,
  wanted: DeviceUpdate,
): Promise<DeviceView> {
  assertProfile(knowsProfile, wanted.profile)
  const key = await tenantKey(engine, by.tenant)
  const address = await addressHmac(engine, by.tenant, wanted.address)
  return engine.db.asTenant(by.tenant, async (tx) => {
    const row = await lockDevice(tx, id)
    const before = openPlate(key, id, row.identity)
    await assertGateway(tx, wanted.gateway)
    await assertAddressFree(tx, address, id)
    await tx
      .tables<FleetTables>()
      .updateTable('device')
      .set({
        ...columnsOf(key, id, wanted, plateOf(wanted, before.bindKey), address),
        changed_at: engine.clock.now(),
      })
      .where('id', '=', id)
      .execute()
      .catch(addressTaken)
    await tx.publish({ type: 'DeviceChanged', device: id })
    await audited(tx, by, 'update', 'device', { id, purpose: 'HOPERAT' })
    const view = await viewOfOne(tx, key, id)
    // How often it measures and who hears it decide when its wearer's silence is told: evaluators learn of it in order.
    const isHeardOtherwise =
      row.gateway_id !== (wanted.gateway ?? null) ||
      toMsOrNull(row.expected_interval_ms) !== (wanted.expectedIntervalMs ?? null)
    if (isHeardOtherwise && view.worn)
      tx.beforeCommitAppend([{ kind: 'config-changed', tenant: by.tenant, subject: view.worn.subject }])
    return (await seenBy(tx, by, [view]))[0]!
  })
}

/** @throws Failure `device-not-found` */
export async function readDevice(engine: Engine, by: By, id: string): Promise<DeviceView> {
  const key = await tenantKey(engine, by.tenant)
  return engine.db.asTenant(by.tenant, async (tx) => {
    const [view] = await seenBy(tx, by, [await viewOfOne(tx, key, id)])
    const subjects = view!.worn ? [view!.worn.subject] : []
    await audited(tx, by, 'read', 'device', { id, subjects, purpose: 'HOPERAT' })
    return view!
  })
}

/** A page of devices in the order of enrolment. */
export async function listDevices(engine: Engine, by: By, filter: DeviceListQuery) {
  const key = await tenantKey(engine, by.tenant)
  return engine.db.asTenant(by.tenant, async (tx) => {
    if (filter.subject !== undefined && !(await isSeen(tx, filter.subject, by.sight))) return { items: [], next: null }
    const ids = await deviceIds(tx, filter)
    const items = await seenBy(tx, by, await viewsOf(tx, key, ids.slice(0, filter.limit)))
    const subjects = [...new Set(items.flatMap((item) => item.worn?.subject ?? []))]
    await audited(tx, by, 'search', 'device', { subjects, purpose: 'HOPERAT' })
    return { items, next: ids.length > filter.limit ? ids[filter.limit - 1]! : null }
  })
}

/** Locks a device's row for the rest of the transaction: one writer of its history at a time. @throws Failure `device-not-found` */
export async function lockDevice(tx: TenantTx, id: string): Promise<Selectable<DeviceTable>> {
  const query = tx.tables<FleetTables>().selectFrom('device').selectAll().where('id', '=', id)
  const row = await query.forUpdate().executeTakeFirst()
  if (!row) throw deviceNotFound()
  return row
}

export const deviceNotFound = () =>
  fleetFailure('device-not-found', 'No device has this id. List the devices.', { pointer: '/params/id' })

// ---------------------------------------------------------------- parts

function columnsOf(key: DataKey, id: string, wanted: DeviceUpdate, plate: DevicePlate, address: Buffer | null) {
  return {
    classification: wanted.classification,
    profile: wanted.profile,
    gateway_id: wanted.gateway ?? null,
    expected_interval_ms: wanted.expectedIntervalMs ?? null,
    time_zone: wanted.timeZone ?? null,
    identity: sealPart(key, 'identity', id, plate),
    address_hmac: address,
  }
}

/** Two devices with one address could not be told apart by what a network server says of them. */
async function assertAddressFree(tx: TenantTx, address: Buffer | null, id: string): Promise<void> {
  if (address === null) return
  const query = tx.tables<FleetTables>().selectFrom('device').select('id').where('address_hmac', '=', address)
  const found = await query.executeTakeFirst()
  if (found && found.id !== id) throw addressIsTaken()
}

const addressIsTaken = () =>
  fleetFailure('device-address-taken', 'Another device has this address. Correct that device, or this address.', {
    pointer: '/body/address',
  })

/** Of two that enrol one address at the same moment, the database refuses the second. */
function addressTaken(error: unknown): never {
  const { code, constraint } = error as { code?: string; constraint?: string }
  throw code === '23505' && constraint === 'device_address' ? addressIsTaken() : error
}

function assertProfile(knowsProfile: KnowsProfile, code: string): void {
  if (knowsProfile(code)) return
  throw fleetFailure('profile-unknown', 'There is no such device profile. List the profiles, or use generic.', {
    pointer: '/body/profile',
  })
}

async function assertGateway(tx: TenantTx, id: string | undefined): Promise<void> {
  if (id === undefined) return
  const found = await tx
    .tables<FleetTables>()
    .selectFrom('gateway')
    .select('id')
    .where('id', '=', id)
    .executeTakeFirst()
  if (!found)
    throw fleetFailure('gateway-not-found', 'No gateway has this id. List the gateways.', { pointer: '/body/gateway' })
}

/** A gateway that connects by itself is enrolled as a device of the same name. */
async function isGatewayName(tx: TenantTx, name: string): Promise<boolean> {
  const query = tx.tables<FleetTables>().selectFrom('gateway').select('id').where('name', '=', name)
  return (await query.executeTakeFirst()) !== undefined
}

async function deviceIds(tx: TenantTx, filter: DeviceListQuery): Promise<string[]> {
  const tables = tx.tables<FleetTables>()
  let query = tables
    .selectFrom('device')
    .select('id')
    .orderBy('id')
    .limit(filter.limit + 1)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  if (filter.classification !== undefined) query = query.where('classification', '=', filter.classification)
  if (filter.after !== undefined) query = query.where('id', '>', filter.after)
  if (filter.subject !== undefined)
    query = query.where(
      'id',
      'in',
      tables
        .selectFrom('assignment')
        .select('device_id')
        .where('subject_id', '=', filter.subject)
        .where('superseded_at', 'is', null)
        .where('to_at', 'is', null),
    )
  return (await query.execute()).map((row) => row.id)
}

async function viewOfOne(tx: TenantTx, key: DataKey, id: string): Promise<DeviceView> {
  const [view] = await viewsOf(tx, key, [id])
  if (!view) throw deviceNotFound()
  return view
}

async function viewsOf(tx: TenantTx, key: DataKey, ids: readonly string[]): Promise<DeviceView[]> {
  if (ids.length === 0) return []
  const tables = tx.tables<FleetTables>()
  const devices = await tables.selectFrom('device').selectAll().where('id', 'in', ids).orderBy('id').execute()
  const statuses = await tables.selectFrom('device_status').selectAll().where('device_id', 'in', ids).execute()
  const spans = await tables
    .selectFrom('assignment')
    .select(['id', 'device_id', 'subject_id', 'from_at'])
    .where('device_id', 'in', ids)
    .where('superseded_at', 'is', null)
    .where('to_at', 'is', null)
    .execute()
  const statusOf = new Map(statuses.map((status) => [status.device_id, status]))
  const wornBy = new Map(
    spans.map((span) => [
      span.device_id,
      { id: span.id, subject: span.subject_id, from: toMs(span.from_at), to: null },
    ]),
  )
  return devices.map((row) => viewOf(key, row, statusOf.get(row.id), wornBy.get(row.id) ?? null))
}

/** Who wears a device is told to who may know of them; others hear that somebody does. */
async function seenBy(tx: TenantTx, by: By, views: readonly DeviceView[]): Promise<DeviceView[]> {
  const worn = views.flatMap((view) => view.worn?.subject ?? [])
  const seen = await seenOf(tx, worn, by.sight)
  return views.map((view) =>
    view.worn === null || seen.has(view.worn.subject) ? view : { ...view, worn: null, wornUnseen: true },
  )
}

function viewOf(
  key: DataKey,
  row: Selectable<DeviceTable>,
  status: Selectable<DeviceStatusTable> | undefined,
  worn: DeviceView['worn'],
): DeviceView {
  const plate = openPlate(key, row.id, row.identity)
  return {
    id: row.id,
    name: row.name,
    classification: row.classification,
    profile: row.profile,
    serial: plate.serial ?? null,
    manufacturer: plate.manufacturer ?? null,
    model: plate.model ?? null,
    expectedIntervalMs: toMsOrNull(row.expected_interval_ms),
    timeZone: row.time_zone,
    gateway: row.gateway_id,
    address: plate.address ?? null,
    bindKeySet: plate.bindKey !== undefined,
    worn,
    settingsVersion: row.settings_version,
    attributes: status ? openPart<DeviceView['attributes']>(key, 'attributes', row.id, status.attributes) : {},
    connected: status?.connected ?? false,
    lastConnectedAt: toMsOrNull(status?.last_connected_at ?? null),
    enrolledAt: toMs(row.enrolled_at),
  }
}
