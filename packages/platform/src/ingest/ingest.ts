/** The ingest room as other rooms and `app` hold it. */
import { Counter } from 'prom-client'
import type { Engine } from '../engine/index.ts'
import type { Attribution } from '../fleet/index.ts'
import { type IngestCounts, makeAccept } from './accept.ts'
import { adoptOrphans } from './claims/adopt-orphans.ts'
import { makeClaims } from './claims/claims.ts'
import { type DoorProcess, openDoorProcess } from './claims/door-process.ts'
import { rememberRadio } from './decode/radio-memory.ts'
import { AsideCounts } from './device-allowance.ts'
import type { Accept, Frame, Receipt } from './door.ts'
import { ingestFailure } from './errors.ts'
import { makeSlots, type Slots } from './marks/slots.ts'
import { makeOddDevices, type OddDevices } from './odd-devices.ts'
import type { Stranger } from './strangers.ts'

/** How often it is asked whether marks must be saved, and whether a process died, ms. */
const LOOK_MS = 10_000
/** Messages that a restart reads again at most: some seconds of work. */
const MAX_UNSAVED = 400_000

export interface IngestParts {
  readonly attribution: Attribution
  /** Marks are saved after this long at the latest, and sooner when many messages came: a restart reads the log since. Default 5 min. */
  readonly saveMarksMs?: number
}

export interface OpenIngest {
  /** This process among the doors: `door-up` and `door-down` in the log name it. */
  readonly process: string
  readonly accept: Accept
  /** Keeps a message of a device that is not known. Resolves when it is durable, rejects like `accept`. */
  keepStranger(stranger: Stranger): Promise<Receipt>
  readonly slots: Slots
  readonly odd: OddDevices
  /** Counts what is about to be set aside. @throws Failure `device-quota` when the device has had its hour's share */
  assertMaySetAside(frame: Frame, many: number): void
  /** Calls `fn` with devices that another process has taken over. */
  onTakenOver(fn: (devices: readonly string[]) => void): void
  /** Calls `fn` after this process was taken for dead and is back, with the devices it still serves. */
  onRevived(fn: (still: ReadonlySet<string>) => void): void
  /** Saves the marks and tells that this door hears no more. */
  close(): Promise<void>
}

/** Registers this process as a door and begins to accept. */
export async function openIngest(engine: Engine, parts: IngestParts): Promise<OpenIngest> {
  const { attribution } = parts
  const revivals: ((still: ReadonlySet<string>) => void)[] = []
  const revived = async () => {
    const { still } = await claims.refresh()
    for (const fn of revivals) fn(still)
  }
  const process: DoorProcess = await openDoorProcess(engine, revived)
  const claims = makeClaims(engine, process.id)
  const radio = (device: string) => rememberRadio(engine, attribution, device)
  const slots = makeSlots(engine, { claims, radio }, process.id)
  const listeners: ((devices: readonly string[]) => void)[] = []
  const takenOver = (devices: readonly string[]) => {
    for (const listener of listeners) listener(devices)
  }
  const counts = makeCounts(engine)
  const odd = makeOddDevices(engine, attribution)
  const assertMaySetAside = boundAsides(engine, odd)
  const accept = makeAccept({
    engine,
    process: process.id,
    attribution,
    claims,
    slots,
    count: counts.count,
    assertMaySetAside,
    takenOver,
  })
  const warn = (err: unknown) =>
    engine.watch.log.warn({ err }, 'what is known of devices could not be saved; trying again')
  let saving: Promise<boolean> | undefined
  const save = () => {
    saving ??= slots
      .save()
      .catch((err: unknown) => {
        warn(err)
        return false
      })
      .finally(() => {
        saving = undefined
      })
    return saving
  }
  const keepUp = () =>
    save()
      .then(() => adoptOrphans(engine, slots, process.id))
      .catch(warn)
  let savedAt = engine.clock.now()
  const saveMarksMs = parts.saveMarksMs ?? 300_000
  const stop = engine.clock.every(LOOK_MS, () => {
    const due = engine.clock.now() - savedAt >= saveMarksMs || slots.unsaved() >= MAX_UNSAVED
    if (due) savedAt = engine.clock.now()
    void (due ? keepUp() : adoptOrphans(engine, slots, process.id).catch(warn))
  })
  void keepUp()
  return {
    process: process.id,
    accept,
    keepStranger: (stranger) => keepStranger(engine, counts.count, stranger),
    slots,
    ...{ odd, assertMaySetAside },
    onRevived: (fn) => void revivals.push(fn),
    onTakenOver: (fn) => void listeners.push(fn),
    async close() {
      stop()
      counts.stop()
      await saving
      // A claim that comes between asks for another round; without a whole one the next process reads the log instead.
      let saved = await save()
      for (let i = 0; i < 3 && !saved; i++) saved = await save()
      await process.end(saved)
    },
  }
}

function boundAsides(engine: Engine, odd: OddDevices): OpenIngest['assertMaySetAside'] {
  const asides = new AsideCounts()
  return ({ device: { tenant, device, classification } }, many) => {
    if (asides.take(device, classification, many, engine.clock.now())) return
    odd.happened(tenant, device, 'too-much')
    throw ingestFailure(
      'device-quota',
      'So much of this device was set aside that no more is taken within the hour. Look into the quarantine; keep the messages.',
      { retryAfterSeconds: 600 },
    )
  }
}

async function keepStranger(engine: Engine, count: IngestCounts, stranger: Stranger): Promise<Receipt> {
  const id = engine.ids.uuid()
  const { door, reason, pointer, message } = stranger
  try {
    await engine.log.append([{ kind: 'quarantined', id, ...stranger }])
  } catch (error) {
    count.frame(door, 'refused')
    throw error
  }
  count.frame(door, 'quarantined')
  count.quarantined(reason)
  return { outcome: 'quarantined', quarantined: [{ id, reason, pointer, message }] }
}

function makeCounts(engine: Engine): { readonly count: IngestCounts; stop(): void } {
  const registers = [engine.watch.metrics]
  const frames = new Counter({
    name: 'careloop_ingest_frames_total',
    help: 'Messages of devices by door and by what became of them',
    labelNames: ['door', 'outcome'],
    registers,
  })
  const readings = new Counter({ name: 'careloop_ingest_readings_total', help: 'Readings stored', registers })
  const quarantined = new Counter({
    name: 'careloop_ingest_quarantined_total',
    help: 'Messages set aside, by reason',
    labelNames: ['reason'],
    registers,
  })
  // Counted in plain numbers on the hot path; prom-client hashes its labels for every inc.
  const pending = new Map<string, number>()
  const flush = () => {
    for (const [key, count] of pending) {
      const [door, outcome] = key.split(' ') as [string, string]
      frames.inc({ door, outcome }, count)
    }
    pending.clear()
  }
  const stop = engine.clock.every(1000, flush)
  return {
    count: {
      frame(door, outcome) {
        const key = `${door} ${outcome}`
        pending.set(key, (pending.get(key) ?? 0) + 1)
      },
      readings: (count) => readings.inc(count),
      quarantined: (reason) => quarantined.inc({ reason }),
    },
    stop() {
      stop()
      flush()
    },
  }
}
