/** Devices and who wore them, for whoever shows them as FHIR: read in the caller's transaction. */
import type { DeviceClassification, SubjectKind } from '@careloop/contract'
import type { Selectable } from 'kysely'
import type { DataKey, Engine, TenantTx } from '../engine/index.ts'
import { addressHmac, openPlate } from './radio-identity.ts'
import type { DeviceTable } from './schema.ts'
import { toMs, toMsOrNull } from './schema.ts'
import { openPart, tenantKey } from './sealed-parts.ts'

/** A device. Serial number and address may lead to a person. */
export interface DeviceSource {
  readonly id: string
  readonly name: string
  readonly classification: DeviceClassification
  readonly profile: string
  readonly expectedIntervalMs: number | null
  readonly serial: string | undefined
  readonly manufacturer: string | undefined
  readonly model: string | undefined
  /** Lower-case hex: 12 digits of a Bluetooth address, 16 of a DevEUI. */
  readonly address: string | undefined
  /** What it told of itself (battery, firmware). */
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly assignments: readonly AssignmentSource[]
  /** ms; when it was enrolled or changed itself. */
  readonly plateChangedAt: number
  /** ms; that, or when who wears it changed last. */
  readonly changedAt: number
}

export interface AssignmentSource {
  readonly id: string
  readonly subject: string
  readonly kind: SubjectKind
  readonly from: number
  readonly to: number | null
  /** A correction took it away: it was never so. */
  readonly isVoid: boolean
  /** ms */
  readonly changedAt: number
}

export async function deviceSources(engine: Engine, tx: TenantTx, ids: readonly string[]): Promise<DeviceSource[]> {
  const key = await tenantKey(engine, tx.tenant)
  const { rows } = await tx.client.query<Selectable<DeviceTable> & { attributes: Buffer | null }>(
    `select d.*, s.attributes from tenant.device d
       left join tenant.device_status s on s.tenant_id = d.tenant_id and s.device_id = d.id
      where d.tenant_id = $1 and d.id = any($2::uuid[]) order by d.id`,
    [tx.tenant, ids],
  )
  const assignments = await assignmentsOf(tx, ids)
  return rows.map((row) => sourceOf(key, row, assignments.get(row.id) ?? []))
}

function sourceOf(
  key: DataKey,
  row: Selectable<DeviceTable> & { attributes: Buffer | null },
  assignments: readonly AssignmentSource[],
): DeviceSource {
  const { serial, manufacturer, model, address } = openPlate(key, row.id, row.identity)
  const plateChangedAt = Math.max(toMs(row.enrolled_at), toMs(row.changed_at))
  return {
    ...{ id: row.id, name: row.name, classification: row.classification, profile: row.profile },
    ...{ expectedIntervalMs: toMsOrNull(row.expected_interval_ms), serial, manufacturer, model, address },
    attributes: row.attributes === null ? {} : openPart(key, 'attributes', row.id, row.attributes),
    ...{ assignments, plateChangedAt },
    changedAt: Math.max(plateChangedAt, ...assignments.map(({ changedAt }) => changedAt)),
  }
}

interface AssignmentRow {
  readonly id: string
  readonly device_id: string
  readonly subject_id: string
  readonly kind: SubjectKind
  readonly from_at: string
  readonly to_at: string | null
  readonly recorded_at: string
  readonly superseded_at: string | null
}

/** Each assignment in its newest version, oldest first; those of subjects that were erased are absent. */
async function assignmentsOf(tx: TenantTx, devices: readonly string[]) {
  const { rows } = await tx.client.query<AssignmentRow>(
    `select distinct on (a.id) a.id, a.device_id, a.subject_id, s.kind, a.from_at, a.to_at, a.recorded_at, a.superseded_at
       from tenant.assignment a
       join tenant.subject s on s.tenant_id = $1 and s.id = a.subject_id and s.erased_at is null
      where a.tenant_id = $1 and a.device_id = any($2::uuid[]) order by a.id, a.version desc`,
    [tx.tenant, devices],
  )
  const byDevice = Map.groupBy(rows, (row) => row.device_id)
  return new Map([...byDevice].map(([device, ofDevice]) => [device, ofDevice.map(assignmentOf)] as const))
}

const assignmentOf = (row: AssignmentRow): AssignmentSource => ({
  ...{ id: row.id, subject: row.subject_id, kind: row.kind, from: toMs(row.from_at), to: toMsOrNull(row.to_at) },
  isVoid: row.superseded_at !== null,
  changedAt: Math.max(toMs(row.recorded_at), toMsOrNull(row.superseded_at) ?? 0),
})

export async function deviceIdsAfter(tx: TenantTx, after: string | null, limit: number): Promise<string[]> {
  const { rows } = await tx.client.query<{ id: string }>(
    'select id from tenant.device where tenant_id = $1 and ($2::uuid is null or id > $2) order by id limit $3',
    [tx.tenant, after, limit],
  )
  return rows.map(({ id }) => id)
}

/** Devices that told something of themselves in (since, until], ms. */
export async function devicesReported(tx: TenantTx, since: number, until: number): Promise<string[]> {
  const { rows } = await tx.client.query<{ device_id: string }>(
    `select device_id from tenant.device_status where tenant_id = $1 and reported_at > $2 and reported_at <= $3
      order by device_id`,
    [tx.tenant, since, until],
  )
  return rows.map(({ device_id }) => device_id)
}

/** The device that sends under this radio address (Bluetooth address, DevEUI or EUI-64), in the caller's transaction. */
export async function deviceAddressed(engine: Engine, tx: TenantTx, address: string): Promise<string | null> {
  const { rows } = await tx.client.query<{ id: string }>(
    'select id from tenant.device where tenant_id = $1 and address_hmac = $2',
    [tx.tenant, await addressHmac(engine, tx.tenant, address)],
  )
  return rows[0]?.id ?? null
}

/** Those of the ids that are devices. */
export async function deviceIdsAmong(tx: TenantTx, ids: readonly string[]): Promise<string[]> {
  const { rows } = await tx.client.query<{ id: string }>(
    'select id from tenant.device where tenant_id = $1 and id = any($2::uuid[])',
    [tx.tenant, ids],
  )
  return rows.map(({ id }) => id)
}
