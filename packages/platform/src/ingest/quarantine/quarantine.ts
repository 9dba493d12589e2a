/**
 * What was set aside: listed, counted, replayed after its cause is mended, or dismissed. Replaying takes only what was set
 * aside, not what the same frame had stored already, and keeps the times of the original.
 */
import type { FrameFormat, FrameQuarantined, QuarantineReason } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { Attribution } from '../../fleet/index.ts'
import { audited, type By } from '../../subjects/index.ts'
import { attributeReadings } from '../attribute-readings.ts'
import { wallClockOf } from '../clocks/wall-clock.ts'
import { type Parsed, type ParsedReading, Unreadable } from '../decode/names.ts'
import { parseFrame } from '../decode/parse-frame.ts'
import { type RadioMemory, rememberRadio } from '../decode/radio-memory.ts'
import type { DeviceIdentity, Frame } from '../door.ts'
import { ingestFailure } from '../errors.ts'
import type { IngestTables, QuarantineTable } from '../schema.ts'
import { settleReadings } from '../settle-readings.ts'
import { recognise } from '../strangers.ts'
import { asideFromBytes, quarantineAad, type SealedAside } from './project.ts'

export interface QuarantinedFrame {
  readonly id: string
  readonly device: string | null
  readonly reason: QuarantineReason
  readonly pointer: string
  readonly message: string
  readonly door: string
  readonly format: FrameFormat
  readonly receivedAt: number
  readonly bytes: number
  readonly status: 'held' | 'replayed' | 'dismissed'
  readonly settledAt: number | null
  readonly outcome: string | null
}

export interface QuarantineFilter {
  readonly status?: 'held' | 'replayed' | 'dismissed'
  readonly reason?: string
  readonly device?: string
  /** Id of the last one of the page before; newest first. */
  readonly before?: string
  readonly limit: number
}

export interface ReplayChoice {
  /** The value was looked at and is kept although implausible: flagged, used by no rule. */
  readonly takeImplausible?: boolean
}

export const dismissReasons = ['device-fault', 'test-data', 'not-ours', 'repeated', 'wrong-person'] as const
export type DismissReason = (typeof dismissReasons)[number]

export interface Quarantine {
  list(by: By, filter: QuarantineFilter): Promise<readonly QuarantinedFrame[]>
  counts(tenant: string): Promise<readonly { reason: string; status: string; count: number }[]>
  /** The bytes as they came. @throws Failure `quarantine-not-found` */
  frame(by: By, id: string): Promise<{ topic?: string; bytes: Buffer; format: FrameFormat }>
  /** @throws Failure `quarantine-not-found` | `quarantine-settled` | `quarantine-not-replayable` (with the pointer that still fails) */
  replay(by: By, id: string, choice: ReplayChoice): Promise<{ readings: number }>
  /** Why it is let go, as a code: words of people belong in a note under a subject's key. */
  dismiss(by: By, id: string, why: DismissReason): Promise<void>
}

export interface QuarantineParts {
  readonly engine: Engine
  readonly attribution: Attribution
}

export function makeQuarantine(parts: QuarantineParts): Quarantine {
  const { engine } = parts
  return {
    list: (by, filter) =>
      engine.db.asTenant(by.tenant, async (tx) => {
        let query = tx
          .tables<IngestTables>()
          .selectFrom('quarantine')
          .selectAll()
          .orderBy('id', 'desc')
          .limit(filter.limit)
        if (filter.status) query = query.where('status', '=', filter.status)
        if (filter.reason) query = query.where('reason', '=', filter.reason)
        if (filter.device) query = query.where('device_id', '=', filter.device)
        if (filter.before) query = query.where('id', '<', filter.before)
        const rows = await query.execute()
        await audited(tx, by, 'search', 'quarantine', {})
        return Promise.all(rows.map(async (row) => toFrame(row, await openRow(engine, row))))
      }),
    counts: (tenant) =>
      engine.db.asTenant(tenant, async (tx) => {
        const rows = await tx
          .tables<IngestTables>()
          .selectFrom('quarantine')
          .select(({ fn }) => ['reason', 'status', fn.countAll().as('count')])
          .groupBy(['reason', 'status'])
          .execute()
        return rows.map((row) => ({ reason: row.reason, status: row.status, count: Number(row.count) }))
      }),
    frame: (by, id) =>
      engine.db.asTenant(by.tenant, async (tx) => {
        const row = await rowOf(tx, id)
        await audited(tx, by, 'read', 'quarantine', { id })
        const { topic, bytes } = await openRow(engine, row)
        return { ...(topic === undefined ? {} : { topic }), bytes, format: row.format as FrameFormat }
      }),
    replay: (by, id, choice) =>
      engine.db.asTenant(by.tenant, async (tx) => {
        const row = await heldRow(tx, id)
        const entries = await entriesOf(parts, by.tenant, row, choice)
        tx.beforeCommitAppend(entries)
        await settle(tx, engine, id, 'replayed', `${entries.length} stored`)
        await tx.publish({ type: 'QuarantineReplayed', quarantine: id, outcome: 'stored' })
        await audited(tx, by, 'update', 'quarantine', { id })
        return { readings: entries.reduce((sum, entry) => sum + entry.readings.length, 0) }
      }),
    dismiss: (by, id, why) =>
      engine.db.asTenant(by.tenant, async (tx) => {
        await heldRow(tx, id)
        await settle(tx, engine, id, 'dismissed', why)
        await audited(tx, by, 'update', 'quarantine', { id })
      }),
  }
}

/** The device as it is enrolled now: of a message that was kept without one, by the name or address that it gives. */
async function senderOf({ attribution }: QuarantineParts, tenant: string, row: QuarantineTable, aside: SealedAside) {
  const format = row.format as FrameFormat
  if (row.device_id === null) return recognise(attribution, tenant, { ...aside, format })
  const device = await attribution.load(tenant, row.device_id)
  return device && { device, format }
}

async function entriesOf(parts: QuarantineParts, tenant: string, row: QuarantineTable, choice: ReplayChoice) {
  const aside = await openRow(parts.engine, row)
  const sender = await senderOf(parts, tenant, row, aside)
  if (!sender)
    throw ingestFailure('quarantine-not-replayable', 'The device of this frame is not enrolled. Enrol it first.', {
      pointer: '/device',
    })
  const device: DeviceIdentity = { ...sender.device, credential: '' }
  const frame: Frame = {
    kind: 'telemetry',
    device,
    door: 'replay',
    format: sender.format,
    bytes: aside.bytes,
    receivedAt: Number(row.received_at),
  }
  await parts.attribution.refresh()
  const radio = await rememberRadio(parts.engine, parts.attribution, device.device)
  const readings = setAsideOf(parseAgain(frame, radio), row.reason, aside.pointer)
  const settled = settleReadings(readings, {
    receivedAt: frame.receivedAt,
    clock: { epoch: 0, offsetMs: 0 },
    wall: wallClockOf(parts.attribution, device.device),
    ...(choice.takeImplausible ? { takeImplausible: true } : {}),
  })
  const fault = settled.faults[0]
  if (fault) throw ingestFailure('quarantine-not-replayable', fault.message, { pointer: fault.pointer })
  const head = {
    kind: 'readings',
    tenant,
    device: device.device,
    door: 'replay',
    receivedAt: frame.receivedAt,
    origin: 'automatic',
    frame: { format: frame.format, bytes: frame.bytes },
  } as const
  if (settled.readings.length === 0)
    throw ingestFailure('quarantine-not-replayable', 'The message holds no reading. Dismiss it.', { pointer: '' })
  const { entries, unworn } = attributeReadings(head, settled.readings, parts.attribution)
  if (unworn > 0 || entries.length === 0)
    throw ingestFailure(
      'quarantine-not-replayable',
      'Nobody was assigned the device when this was measured. Correct the assignment back to that time first.',
      { pointer: aside.pointer },
    )
  return entries
}

function parseAgain(frame: Frame, radio: RadioMemory) {
  try {
    return parseFrame(frame, radio.now)
  } catch (error) {
    if (error instanceof Unreadable)
      throw ingestFailure('quarantine-not-replayable', error.message, { pointer: error.pointer })
    throw error
  }
}

/** Only the values that were set aside; a frame that was set aside as a whole has pointer '' or one above its values. */
function setAsideOf(parsed: Parsed, reason: string, pointer: string): readonly ParsedReading[] {
  const pointers = new Set(pointer.split(', '))
  const named = parsed.readings.filter((reading) => pointers.has(reading.pointer))
  const still = parsed.faults.find((fault) => pointers.has(fault.pointer))
  if (still) throw ingestFailure('quarantine-not-replayable', still.message, { pointer: still.pointer })
  const chosen = named.length > 0 ? named : parsed.readings
  // Two values were sent for one moment, and both are kept: the second takes the next ordinal.
  return reason === 'conflict' ? chosen.map((reading) => ({ ...reading, ordinal: reading.ordinal + 1 })) : chosen
}

async function rowOf(tx: TenantTx, id: string): Promise<QuarantineTable> {
  const row = await tx
    .tables<IngestTables>()
    .selectFrom('quarantine')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw ingestFailure('quarantine-not-found', 'No frame with this id is in quarantine.')
  return row
}

async function heldRow(tx: TenantTx, id: string): Promise<QuarantineTable> {
  const row = await tx
    .tables<IngestTables>()
    .selectFrom('quarantine')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw ingestFailure('quarantine-not-found', 'No frame with this id is in quarantine.')
  if (row.status !== 'held') throw ingestFailure('quarantine-settled', `This frame was ${row.status} already.`)
  return row
}

async function settle(
  tx: TenantTx,
  engine: Engine,
  id: string,
  status: 'replayed' | 'dismissed',
  outcome: string,
): Promise<void> {
  await tx
    .tables<IngestTables>()
    .updateTable('quarantine')
    .set({ status, outcome, settled_at: engine.clock.now() })
    .where('id', '=', id)
    .execute()
}

async function openRow(engine: Engine, row: QuarantineTable): Promise<SealedAside> {
  const key = await engine.keys.key(row.key_id)
  return asideFromBytes(key.open(row.body, quarantineAad(row.id)))
}

function toFrame(row: QuarantineTable, aside: SealedAside): QuarantinedFrame {
  return {
    id: row.id,
    device: row.device_id,
    reason: row.reason as FrameQuarantined['reason'],
    pointer: aside.pointer,
    message: aside.message,
    door: row.door,
    format: row.format as FrameFormat,
    receivedAt: Number(row.received_at),
    bytes: row.bytes,
    status: row.status,
    settledAt: row.settled_at === null ? null : Number(row.settled_at),
    outcome: row.outcome,
  }
}
