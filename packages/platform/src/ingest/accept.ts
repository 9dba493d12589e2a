/**
 * From a frame at a door to a durable, attributed reading. Everything before the append is synchronous and pure, so frames of
 * one device keep their order; the receipt comes after the commit, and only then does a door acknowledge.
 */
import { Failure, type FrameQuarantined, type LogEntry, type ReadingsLogged } from '@careloop/contract'
import type { Engine, Fence } from '../engine/index.ts'
import type { Attribution } from '../fleet/index.ts'
import { attributeReadings } from './attribute-readings.ts'
import type { Claims } from './claims/claims.ts'
import { settleClock } from './clocks/settle-time.ts'
import { wallClockOf } from './clocks/wall-clock.ts'
import { type Fault, type ParsedReading, Unreadable } from './decode/names.ts'
import { parseFrame } from './decode/parse-frame.ts'
import type { Accept, Frame, Receipt, SetAside } from './door.ts'
import { ingestFailure } from './errors.ts'
import type { ClockEpoch, DeviceMarks } from './marks/device-marks.ts'
import { hashBytes } from './marks/hash.ts'
import { type InFlight, isSame, mustPrecede } from './marks/in-flight.ts'
import { judge } from './marks/judge.ts'
import type { Slot, Slots } from './marks/slots.ts'
import { quarantineEntry, summarise } from './quarantine/entry.ts'
import { reportEntry } from './report-entry.ts'
import { settleReadings } from './settle-readings.ts'

export interface AcceptParts {
  readonly engine: Engine
  readonly process: string
  readonly attribution: Attribution
  readonly claims: Pick<Claims, 'refresh'>
  readonly slots: Slots
  readonly count: IngestCounts
  readonly assertMaySetAside: (frame: Frame, many: number) => void
  /** The process no longer serves these devices: doors end their connections. */
  readonly takenOver: (devices: readonly string[]) => void
}

/** Counters that operators read; labels are closed sets, never ids. */
export interface IngestCounts {
  frame(door: string, outcome: Receipt['outcome'] | 'refused'): void
  readings(count: number): void
  quarantined(reason: string): void
}

/** What is to be appended for a frame, given who wears the device as far as this process knows. */
type Plan = () => {
  readonly entries: readonly LogEntry[]
  readonly setAside: readonly FrameQuarantined[]
  readonly readings: number
}

export function makeAccept(parts: AcceptParts): Accept {
  const { slots, count } = parts
  const fences = makeFences(parts)

  function accept(frame: Frame): Promise<Receipt> {
    const slot = slots.get(frame.device.device)
    if (!slot) return slots.load(frame.device.device).then(() => accept(frame))
    return acceptNow(frame, slot)
  }

  function acceptNow(frame: Frame, slot: Slot): Promise<Receipt> {
    if (slot.waiting) return slot.waiting.then(() => accept(frame))
    const contentHash = hashBytes(frame.bytes)
    const same = slot.inFlight.find((other) => isSame(other, frame, contentHash))
    // Sent again before the first was durable: this one is acknowledged when that one is, or fails with it.
    if (same) return same.done.then(() => finish(frame, { outcome: 'duplicate' }))
    const prepared =
      frame.kind === 'telemetry' ? prepare(frame, slot, contentHash, parts) : prepareReport(frame, slot, parts)
    if (prepared === 'duplicate') return Promise.resolve(finish(frame, { outcome: 'duplicate' }))
    if ('after' in prepared) return acceptAfter(prepared.after, frame, slot)
    slot.touchedAt = frame.receivedAt
    return append(frame, slot, contentHash, prepared)
  }

  /** Judged when `flight` is known; what comes meanwhile waits behind, so that the order stays. */
  function acceptAfter(flight: InFlight, frame: Frame, slot: Slot): Promise<Receipt> {
    const settled = flight.done.then(
      () => {},
      () => {},
    )
    slot.waiting = settled.then(() => {
      delete slot.waiting
    })
    return slot.waiting.then(() => accept(frame))
  }

  function append(frame: Frame, slot: Slot, contentHash: number, prepared: Prepared): Promise<Receipt> {
    const done = appendFenced(prepared.plan, frame, slot, fences, parts)
    const { plan: _, ...what } = prepared
    const flight: InFlight = { ...what, contentHash, packetId: frame.delivery?.packetId, done }
    slot.inFlight.push(flight)
    const leave = () => slot.inFlight.splice(slot.inFlight.indexOf(flight), 1)
    return done.then(
      ({ position, plan }) => {
        leave()
        learn(slot, plan.entries)
        slots.learnedUpTo(position)
        return finish(frame, receiptOf(position, plan))
      },
      (error: unknown) => {
        leave()
        count.frame(frame.door, 'refused')
        throw error
      },
    )
  }

  function finish(frame: Frame, receipt: Receipt): Receipt {
    count.frame(frame.door, receipt.outcome)
    if (receipt.outcome === 'stored') count.readings(receipt.readings)
    if (receipt.outcome !== 'duplicate') for (const aside of receipt.quarantined) count.quarantined(aside.reason)
    return receipt
  }

  return accept
}

// ---------------------------------------------------------------- before the append

interface Prepared extends Pick<InFlight, 'sequence' | 'restarted' | 'repeatable' | 'readings'> {
  readonly plan: Plan
}

/** One on its way must be durable first. */
interface NotYet {
  readonly after: InFlight
}

/** Holds nothing that a later message could repeat. */
const PLAIN = { sequence: undefined, restarted: false, repeatable: false, readings: [] } as const

function prepare(frame: Frame, slot: Slot, contentHash: number, parts: AcceptParts): Prepared | NotYet | 'duplicate' {
  try {
    const parsed = parseFrame(frame, slot.radio.now)
    const after = slot.inFlight.length > 0 ? mustPrecede(slot.inFlight, parsed) : undefined
    if (after) return { after }
    const judged = judge(frame, parsed, contentHash, slot)
    if (judged.verdict === 'duplicate') return 'duplicate'
    const clock = clockOf(frame, parsed.deviceNow, slot.marks)
    if (judged.verdict === 'set-aside') return prepareAside(frame, [judged.fault], clock, parts)
    const namesItself = parsed.sequence !== undefined || isTimed(judged.readings)
    const head = {
      kind: 'readings',
      tenant: frame.device.tenant,
      device: frame.device.device,
      door: frame.door,
      receivedAt: frame.receivedAt,
      origin: 'automatic',
      frame: { format: frame.format, bytes: frame.bytes },
      ...(parsed.sequence === undefined ? {} : { sequence: parsed.sequence }),
      ...(judged.restarted ? { sequenceRestarted: true as const } : {}),
      ...(frame.delivery && !(namesItself && judged.readings.length <= FEW)
        ? { delivery: { packetId: frame.delivery.packetId } }
        : {}),
      ...(parsed.userIndex === undefined ? {} : { userIndex: parsed.userIndex }),
      ...(clock.epoch > 0 ? { clockEpoch: clock.epoch, clockOffsetMs: clock.offsetMs } : {}),
    } satisfies Omit<ReadingsLogged, 'assignment' | 'subject' | 'readings'>
    const reports = parsed.attributes ? [reportEntry(frame, parsed.attributes)] : []
    return {
      repeatable: namesItself,
      sequence: parsed.sequence,
      restarted: judged.restarted === true,
      readings: judged.readings,
      // Planned again when the wearer has changed meanwhile, and with the wearer the zone of a wall clock.
      plan: () => {
        const wall = wallClockOf(parts.attribution, slot.device)
        const settled = settleReadings(judged.readings, { receivedAt: frame.receivedAt, clock, wall })
        const faults = summarise([...parsed.faults, ...judged.faults, ...settled.faults])
        const asides = faults.map((fault) => quarantineEntry(frame, fault, parts.engine.ids.uuid(), clock))
        const { entries, unworn } = attributeReadings(head, settled.readings, parts.attribution)
        const unassigned = unworn ? [quarantineEntry(frame, UNASSIGNED, parts.engine.ids.uuid(), clock)] : []
        const setAside = [...asides, ...unassigned]
        return { entries: [...entries, ...setAside, ...reports], setAside, readings: settled.readings.length - unworn }
      },
    }
  } catch (error) {
    return prepareUnreadable(frame, error, slot, parts)
  }
}

/** A message that is delivered again tells when it was first sent, not what time it is. */
function clockOf(frame: Frame, deviceNow: number | undefined, marks: DeviceMarks): ClockEpoch {
  if (frame.delivery?.dup) return marks.clock
  const { clock, guess } = settleClock({ clock: marks.clock, guess: marks.clockGuess }, deviceNow, frame.receivedAt)
  marks.clockGuess = guess
  return clock
}

/** A codec that fails is a bug, and yet the frame is kept: a device that is refused for our fault would send it for ever. */
function prepareUnreadable(frame: Frame, error: unknown, slot: Slot, parts: AcceptParts): Prepared {
  const { clock } = slot.marks
  if (error instanceof Unreadable)
    return prepareAside(frame, [{ reason: error.reason, pointer: error.pointer, message: error.message }], clock, parts)
  parts.engine.watch.log.error(
    { err: error, profile: frame.device.profile },
    'a codec failed; the frame is in quarantine',
  )
  const message = 'Careloop failed while reading this frame. It is kept: report the fault, then replay after the fix.'
  return prepareAside(frame, [{ reason: 'bad-frame', pointer: '', message }], clock, parts)
}

/** Of this many readings none is forgotten before the last is known (time-window keeps twice as many). */
const FEW = 128

/** Each reading tells its own time, by which a repetition is recognised. */
const isTimed = (readings: readonly ParsedReading[]): boolean =>
  readings.length > 0 && readings.every((reading) => (reading.time ?? reading.untrustedTime) !== undefined)

const UNASSIGNED = {
  reason: 'unassigned',
  pointer: '',
  message: 'Nobody was assigned this device at the time of measurement. Assign it, back-dated if need be, then replay.',
} as const

function prepareAside(frame: Frame, faults: readonly Fault[], clock: ClockEpoch, parts: AcceptParts): Prepared {
  const setAside = summarise(faults).map((fault) => quarantineEntry(frame, fault, parts.engine.ids.uuid(), clock))
  return { ...PLAIN, plan: () => ({ entries: setAside, setAside, readings: 0 }) }
}

/** Attributes and status: what a device tells of itself. */
function prepareReport(frame: Frame, slot: Slot, parts: AcceptParts): Prepared {
  try {
    const entries = [reportEntry(frame)]
    return { ...PLAIN, plan: () => ({ entries, setAside: [], readings: 0 }) }
  } catch (error) {
    return prepareUnreadable(frame, error, slot, parts)
  }
}

// ---------------------------------------------------------------- the append

interface Fences {
  now(): readonly Fence[]
  refresh(device: string): Promise<void>
}

/** Appends under the fences; when one moved, learns what changed and plans anew. */
async function appendFenced(plan: Plan, frame: Frame, slot: Slot, fences: Fences, parts: AcceptParts) {
  let counted = false
  for (;;) {
    const planned = plan()
    if (!counted && planned.setAside.length > 0) {
      parts.assertMaySetAside(frame, planned.setAside.length)
      counted = true
    }
    try {
      const { position } = await parts.engine.log.append(planned.entries, fences.now())
      return { position, plan: planned }
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'fence-lost') throw error
      await fences.refresh(slot.device)
    }
  }
}

function makeFences({ process, attribution, claims, slots, takenOver }: AcceptParts): Fences {
  let door = 0
  let refreshing: Promise<void> | undefined
  const name = `door:${process}`

  async function refresh(): Promise<void> {
    const { fence, still } = await claims.refresh()
    door = fence
    const gone = slots.keepOnly(still)
    if (gone.length > 0) takenOver(gone)
    await attribution.refresh()
  }

  return {
    now: () => [{ name, value: door }, attribution.fence()],
    async refresh(device) {
      refreshing ??= refresh().finally(() => {
        refreshing = undefined
      })
      await refreshing
      if (!slots.get(device))
        throw ingestFailure('taken-over', 'Another server process serves this device now. Connect again.')
    },
  }
}

function learn(slot: Slot, entries: readonly LogEntry[]): void {
  for (const entry of entries) if (entry.kind === 'readings') slot.marks.learn(entry)
  slot.dirty = true
}

function receiptOf(position: number, plan: ReturnType<Plan>): Receipt {
  const quarantined: SetAside[] = plan.setAside.map(({ id, reason, pointer, message }) => ({
    id,
    reason,
    pointer,
    message,
  }))
  if (plan.readings === 0 && quarantined.length > 0) return { outcome: 'quarantined', quarantined }
  return { outcome: 'stored', position, readings: plan.readings, quarantined }
}
