/**
 * What was set aside: listed, counted, replayed after its cause is mended, or dismissed. Replaying takes only what was set
 * aside, not what the same frame had stored already, and keeps the times of the original.
 */
import type { FrameFormat, FrameQuarantined, MessagePart, QuarantineReason } from '@careloop/contract'
import { audited, type By, seenOf } from '../../subjects/index.ts'
import type { IngestTables, QuarantineTable } from '../schema.ts'
import type { SealedAside } from './project.ts'
import { type ReplayChoice, type ReplayParts, replay } from './replay.ts'
import { heldRow, openRow, patientsOf, rowOf, settle, subjectsOf } from './rows.ts'
import { structureOf } from './structure.ts'

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

export interface LookedAt {
  readonly format: FrameFormat
  readonly topic?: string
  /** null = withheld */
  readonly bytes: Buffer | null
  /** Why, for who reads it. */
  readonly withheld?: string
  readonly structure?: MessagePart[]
}

export const dismissReasons = ['device-fault', 'test-data', 'not-ours', 'repeated', 'wrong-person'] as const
export type DismissReason = (typeof dismissReasons)[number]

export interface Quarantine {
  list(by: By, filter: QuarantineFilter): Promise<readonly QuarantinedFrame[]>
  counts(tenant: string): Promise<readonly { reason: string; status: string; count: number }[]>
  /** The bytes as they came, or how they are built when they may be about a patient out of sight. @throws Failure `quarantine-not-found` */
  frame(by: By, id: string): Promise<LookedAt>
  /** @throws Failure `quarantine-not-found` | `quarantine-settled` | `quarantine-not-replayable` (with the pointer that still fails) */
  replay(by: By, id: string, choice: ReplayChoice): Promise<{ readings: number }>
  /** Why it is let go, as a code: words of people belong in a note under a subject's key. */
  dismiss(by: By, id: string, why: DismissReason): Promise<void>
}

export function makeQuarantine(parts: ReplayParts): Quarantine {
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
        const patients = await patientsOf(tx, row)
        await audited(tx, by, 'read', 'quarantine', {
          ...{ id, subjects: [...new Set([...(await subjectsOf(tx, row)), ...patients])] },
        })
        const { topic, bytes } = await openRow(engine, row)
        const format = row.format as FrameFormat
        const seen = await seenOf(tx, patients, by.sight)
        if (seen.size < patients.length)
          return { format, bytes: null, withheld: whyWithheld, structure: structureOf(bytes) }
        return { ...(topic === undefined ? {} : { topic }), bytes, format }
      }),
    replay: async (by, id, choice) => ({ readings: await replay(parts, by, id, choice) }),
    dismiss: (by, id, why) =>
      engine.db.asTenant(by.tenant, async (tx) => {
        const row = await heldRow(tx, id)
        await settle(tx, engine, id, 'dismissed', why)
        await audited(tx, by, 'update', 'quarantine', { id, subjects: await subjectsOf(tx, row) })
      }),
  }
}

/** Whoever mends a device needs to know how its messages are built, not how its wearer is. */
const whyWithheld =
  'A patient wears this device, or wore it in the 31 days before, whom you do not see: how the message is built is shown, and no value of it.'

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
