/**
 * Takes a message in after its cause is mended. What needs other connections is loaded before the transaction; inside it the
 * device's row is locked, as every change of its wearer does, so that no correction slips between the decision and the log.
 */
import type { AssignmentSpan, FrameFormat, ReadingsLogged } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { type Attribution, currentHistory, lockDevice, spanAt } from '../../fleet/index.ts'
import { audited, type By } from '../../subjects/index.ts'
import { attributeReadings } from '../attribute-readings.ts'
import { wallClockOf } from '../clocks/wall-clock.ts'
import { type Parsed, type ParsedReading, Unreadable } from '../decode/names.ts'
import { parseFrame } from '../decode/parse-frame.ts'
import { rememberRadio } from '../decode/radio-memory.ts'
import type { Frame } from '../door.ts'
import { ingestFailure } from '../errors.ts'
import type { IngestTables, QuarantineTable } from '../schema.ts'
import { settleReadings } from '../settle-readings.ts'
import { recognise } from '../strangers.ts'
import type { SealedAside } from './project.ts'
import { assertHeld, heldRow, openRow, rowOf, settle } from './rows.ts'

export interface ReplayChoice {
  /** The value was looked at and is kept although implausible: flagged, used by no rule. */
  readonly takeImplausible?: boolean
}

export interface ReplayParts {
  readonly engine: Engine
  readonly attribution: Attribution
}

/** A frame with its device as it is enrolled now, and what of it was set aside. */
interface Again {
  readonly frame: Frame
  readonly aside: SealedAside
  readonly readings: readonly ParsedReading[]
  readonly reason: string
}

/** @throws Failure `quarantine-not-found` | `quarantine-settled` | `quarantine-not-replayable` (with the pointer that still fails) */
export async function replay(parts: ReplayParts, by: By, id: string, choice: ReplayChoice): Promise<number> {
  const row = await parts.engine.db.asTenant(by.tenant, (tx) => rowOf(tx, id))
  assertHeld(row)
  const again = await readAgain(parts, by.tenant, row)
  for (;;) {
    await parts.attribution.refresh()
    const count = await parts.engine.db.asTenant(by.tenant, (tx) => store(parts, tx, by, id, again, choice))
    // Who wore the device was changed since the refresh: decided anew, with the zones of those who wear it now.
    if (count !== undefined) return count
  }
}

async function store(
  { engine, attribution }: ReplayParts,
  tx: TenantTx,
  by: By,
  id: string,
  again: Again,
  choice: ReplayChoice,
): Promise<number | undefined> {
  const { device } = again.frame.device
  await heldRow(tx, id)
  await lockDevice(tx, device)
  const history = await currentHistory(tx, device)
  if (!sameSpans(history, attribution.device(device)?.spans ?? [])) return undefined
  const first = again.reason === 'conflict' ? await nextOrdinal(tx, device) : 0
  const entries = entriesOf(again, { attribution, history, first, choice })
  tx.beforeCommitAppend(entries)
  await settle(tx, engine, id, 'replayed', `${entries.length} stored`)
  await tx.publish({ type: 'QuarantineReplayed', quarantine: id, outcome: 'stored' })
  await audited(tx, by, 'update', 'quarantine', { id, subjects: [...new Set(entries.map((entry) => entry.subject))] })
  return entries.reduce((sum, entry) => sum + entry.readings.length, 0)
}

const sameSpans = (a: readonly AssignmentSpan[], b: readonly AssignmentSpan[]): boolean =>
  a.length === b.length &&
  a.every((span, i) => {
    const other = b[i]!
    return span.id === other.id && span.subject === other.subject && span.from === other.from && span.to === other.to
  })

/** More than any message has readings of one signal and time. */
const ORDINALS = 10_000

/**
 * Two values were sent for one moment, and both are kept: of the second the ordinals begin where neither the first nor another
 * one that was replayed has any. Under the lock of the device.
 */
async function nextOrdinal(tx: TenantTx, device: string): Promise<number> {
  const { count } = await tx
    .tables<IngestTables>()
    .selectFrom('quarantine')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('device_id', '=', device)
    .where('status', '=', 'replayed')
    .where('reason', '=', 'conflict')
    .executeTakeFirstOrThrow()
  return ORDINALS * (1 + Number(count))
}

// ---------------------------------------------------------------- before the transaction

async function readAgain(parts: ReplayParts, tenant: string, row: QuarantineTable): Promise<Again> {
  const aside = await openRow(parts.engine, row)
  const sender = await senderOf(parts, tenant, row, aside)
  if (!sender)
    throw ingestFailure('quarantine-not-replayable', 'The device of this frame is not enrolled. Enrol it first.', {
      pointer: '/device',
    })
  const frame: Frame = {
    kind: 'telemetry',
    device: { ...sender.device, credential: '' },
    door: 'replay',
    format: sender.format,
    bytes: aside.bytes,
    receivedAt: Number(row.received_at),
  }
  await parts.attribution.refresh()
  const radio = await rememberRadio(parts.engine, parts.attribution, frame.device.device)
  const parsed = parseAgain(() => parseFrame(frame, radio.now))
  return { frame, aside, readings: setAsideOf(parsed, aside.pointer), reason: row.reason }
}

/** The device as it is enrolled now: of a message that was kept without one, by the name or address that it gives. */
async function senderOf({ attribution }: ReplayParts, tenant: string, row: QuarantineTable, aside: SealedAside) {
  const format = row.format as FrameFormat
  if (row.device_id === null) return recognise(attribution, tenant, { ...aside, format })
  const device = await attribution.load(tenant, row.device_id)
  return device && { device, format }
}

function parseAgain(parse: () => Parsed): Parsed {
  try {
    return parse()
  } catch (error) {
    if (error instanceof Unreadable)
      throw ingestFailure('quarantine-not-replayable', error.message, { pointer: error.pointer })
    throw error
  }
}

/** Only the values that were set aside; a frame that was set aside as a whole has pointer '' or one above its values. */
function setAsideOf(parsed: Parsed, pointer: string): readonly ParsedReading[] {
  const pointers = new Set(pointer.split(', '))
  const named = parsed.readings.filter((reading) => pointers.has(reading.pointer))
  const still = parsed.faults.find((fault) => pointers.has(fault.pointer))
  if (still) throw ingestFailure('quarantine-not-replayable', still.message, { pointer: still.pointer })
  return named.length > 0 ? named : parsed.readings
}

// ---------------------------------------------------------------- inside it, pure

interface Deciding {
  readonly attribution: Attribution
  /** As the transaction reads it, under the device's lock. */
  readonly history: readonly AssignmentSpan[]
  /** Added to each reading's ordinal. */
  readonly first: number
  readonly choice: ReplayChoice
}

function entriesOf({ frame, aside, readings }: Again, { attribution, history, first, choice }: Deciding) {
  const settled = settleReadings(
    first === 0 ? readings : readings.map((reading) => ({ ...reading, ordinal: reading.ordinal + first })),
    {
      receivedAt: frame.receivedAt,
      clock: { epoch: aside.clockEpoch ?? 0, offsetMs: aside.clockOffsetMs ?? 0 },
      wall: wallClockOf(attribution, frame.device.device),
      ...(choice.takeImplausible ? { takeImplausible: true } : {}),
    },
  )
  const fault = settled.faults[0]
  if (fault) throw ingestFailure('quarantine-not-replayable', fault.message, { pointer: fault.pointer })
  if (settled.readings.length === 0)
    throw ingestFailure('quarantine-not-replayable', 'The message holds no reading. Dismiss it.', { pointer: '' })
  const head = {
    kind: 'readings',
    tenant: frame.device.tenant,
    device: frame.device.device,
    door: 'replay',
    receivedAt: frame.receivedAt,
    origin: 'automatic',
    frame: { format: frame.format, bytes: frame.bytes },
    ...(aside.clockEpoch === undefined ? {} : { clockEpoch: aside.clockEpoch }),
    ...(aside.clockOffsetMs === undefined ? {} : { clockOffsetMs: aside.clockOffsetMs }),
  } satisfies Omit<ReadingsLogged, 'assignment' | 'subject' | 'readings'>
  const { entries, unworn } = attributeReadings(head, settled.readings, {
    whoWears: (_, at) => spanAt(history, at),
  })
  if (unworn > 0 || entries.length === 0)
    throw ingestFailure(
      'quarantine-not-replayable',
      'Nobody was assigned the device when this was measured. Correct the assignment back to that time first.',
      { pointer: aside.pointer },
    )
  return entries
}
