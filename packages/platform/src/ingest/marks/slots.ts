/**
 * The devices that this process serves, each with what is known of its earlier messages, and the saving of that knowledge.
 * Marks hold only what is durable: a message is learned after its commit, so a crash never makes an unstored one look stored.
 */
import type { Engine } from '../../engine/index.ts'
import { type Claims, markAad } from '../claims/claims.ts'
import type { RadioMemory } from '../decode/radio-memory.ts'
import { type DeviceMarks, packMarks } from './device-marks.ts'
import type { InFlight } from './in-flight.ts'

export interface Slot {
  readonly device: string
  readonly marks: DeviceMarks
  readonly inFlight: InFlight[]
  /** Messages wait here for one that must be durable before they can be judged; later ones wait behind them. */
  waiting?: Promise<void>
  readonly radio: RadioMemory
  dirty: boolean
  touchedAt: number
}

export interface Slots {
  /** The device if it is served here already. */
  get(device: string): Slot | undefined
  /** Claims and loads it; several callers share one load. */
  load(device: string): Promise<Slot>
  /** Forgets devices that were taken over; gives them. */
  keepOnly(still: ReadonlySet<string>): string[]
  /** Forgets a device that another process has claimed since it was loaded here. */
  forget(slot: Slot): void
  learnedUpTo(position: number): void
  /** Messages learned since marks were last saved. */
  unsaved(): number
  /** Saves what is new and moves this process's checkpoint. @returns false when a claim came between: save again */
  save(): Promise<boolean>
}

/** Devices saved between two turns of the event loop: a busy one has 100 kB of marks. */
const SLICE = 8
const IDLE_MS = 15 * 60_000

export interface SlotParts {
  readonly claims: Claims
  readonly radio: (device: string) => Promise<RadioMemory>
}

export function makeSlots(engine: Engine, { claims, radio }: SlotParts, process: string): Slots {
  const slots = new Map<string, Slot>()
  const loading = new Map<string, Promise<Slot>>()
  let learned = 0
  let loads = 0
  let messages = 0

  async function load(device: string): Promise<Slot> {
    const asked = Promise.allSettled([radio(device)])
    const { marks } = await claims.claim(device)
    const [answer] = await asked
    if (answer.status === 'rejected') {
      claims.doubt(device)
      throw answer.reason
    }
    const memory = answer.value
    const slot: Slot = { device, marks, inFlight: [], radio: memory, dirty: true, touchedAt: engine.clock.now() }
    loads++
    slots.set(device, slot)
    return slot
  }

  function loadOnce(device: string): Promise<Slot> {
    const held = slots.get(device)
    if (held) return Promise.resolve(held)
    let promise = loading.get(device)
    if (!promise) {
      promise = load(device).finally(() => loading.delete(device))
      loading.set(device, promise)
    }
    return promise
  }

  const inFlight = () => [...slots.values()].some((slot) => slot.inFlight.length > 0)

  async function save(): Promise<boolean> {
    await Promise.all(claims.doubted().map((device) => loadOnce(device).catch(() => {})))
    const before = loads
    messages = 0
    const quiet = !inFlight()
    const head = await engine.log.head(0)
    // A macrotask later every resolved append has been learned.
    await new Promise((go) => setImmediate(go))
    const upTo = quiet && !inFlight() ? head : learned
    const dirty = [...slots.values()].filter((slot) => slot.dirty)
    for (let i = 0; i < dirty.length; i += SLICE) await saveSlice(engine, process, dirty.slice(i, i + SLICE), upTo)
    // A claim that came between has lowered the checkpoint for a device that is only saved next time: leave it there.
    const whole = loading.size === 0 && loads === before && claims.doubted().length === 0
    if (whole)
      await engine.db.pool.query(
        'update engine.door_process set checkpoint = greatest(checkpoint, $2) where process = $1',
        [process, upTo],
      )
    const idleBefore = engine.clock.now() - IDLE_MS
    for (const slot of slots.values())
      if (!slot.dirty && slot.inFlight.length === 0 && slot.touchedAt < idleBefore) slots.delete(slot.device)
    return whole
  }

  return {
    get: (device) => slots.get(device),
    load: loadOnce,
    keepOnly(still) {
      const gone = [...slots.keys()].filter((device) => !still.has(device))
      for (const device of gone) slots.delete(device)
      return gone
    },
    forget(slot) {
      if (slots.get(slot.device) === slot) slots.delete(slot.device)
    },
    learnedUpTo(position) {
      messages++
      if (position > learned) learned = position
    },
    unsaved: () => messages,
    save,
  }
}

/** Marks saved at position P reflect every message of the device up to P, and perhaps later ones: learning twice is harmless. */
async function saveSlice(engine: Engine, process: string, slots: readonly Slot[], position: number): Promise<void> {
  // A key a month; a row names the one it was sealed under.
  const month = new Date(engine.clock.now()).toISOString().slice(0, 7)
  const key = await engine.keys.keyFor('log-day', `device-marks-${month}`)
  const bodies = slots.map((slot) => {
    slot.dirty = false
    return key.seal(packMarks(slot.marks.state()), markAad(slot.device))
  })
  try {
    await engine.db.pool.query(
      // Only of devices that are still this process's: one that was paused here must not write over what its successor has saved. The
      // lock keeps a claim waiting until this is in, which it then reads.
      `with mine as materialized (
         select device from engine.device_claim where device = any($1::uuid[]) and process = $5 order by device for share)
       insert into engine.device_mark (device, position, key_id, body)
         select d, $2, $3, b from unnest($1::uuid[], $4::bytea[]) as t(d, b) join mine on mine.device = d
       on conflict (device) do update set position = excluded.position, key_id = excluded.key_id, body = excluded.body`,
      [slots.map((slot) => slot.device), position, key.id, bodies, process],
    )
  } catch (error) {
    for (const slot of slots) slot.dirty = true
    throw error
  }
}
