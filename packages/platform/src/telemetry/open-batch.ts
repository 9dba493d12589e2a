/** What came in since the last write, gathered per series. Reading objects of the log are kept as they are: no copy on the way. */
import {
  type AssignmentChanged,
  type DeviceReported,
  type DoorChanged,
  type LoggedReading,
  type ReadingsLogged,
  signal,
} from '@careloop/contract'
import type { LogCommit } from '../engine/index.ts'
import type { KeptReading } from './codec/columns.ts'
import { STEP_MS } from './gap-watch.ts'
import { spanStart } from './phase.ts'
import type { SeriesName } from './series.ts'

/** Readings of one series in the order of their arrival. */
export interface Pending {
  readonly name: SeriesName
  readonly readings: LoggedReading[]
  readonly entries: ReadingsLogged[]
  readonly storedMs: number[]
}

export interface Happened {
  readonly entry: DeviceReported | DoorChanged
  readonly atMs: number
}

export class OpenBatch {
  readonly pending: Pending[] = []
  readonly happened: Happened[] = []
  readonly moves: AssignmentChanged[] = []
  readings = 0
  /** Position of the last commit in it. */
  position: number
  firstStoredMs = Number.POSITIVE_INFINITY
  lastStoredMs = Number.NEGATIVE_INFINITY
  readonly #places = new Map<string, Map<string, Pending>>()

  constructor(position: number) {
    this.position = position
  }

  /** @returns whether the batch must be written before anything else is added */
  add(commit: LogCommit): boolean {
    let closes = false
    for (const entry of commit.entries) {
      if (entry.kind === 'readings') this.#addReadings(entry, commit.storedAt)
      else if (entry.kind === 'assignment-changed') {
        this.moves.push(entry)
        closes = true
      } else if (entry.kind === 'device-reported') this.happened.push({ entry, atMs: commit.storedAt })
      else if (entry.kind === 'door-up' || entry.kind === 'door-down') {
        this.happened.push({ entry, atMs: commit.storedAt })
        closes = true // so that holes are judged by the doors as they were
      }
    }
    this.position = commit.position
    this.firstStoredMs = Math.min(this.firstStoredMs, commit.storedAt)
    const steppedBack = this.lastStoredMs - commit.storedAt > STEP_MS
    this.lastStoredMs = steppedBack ? commit.storedAt : Math.max(this.lastStoredMs, commit.storedAt)
    return closes
  }

  get isEmpty(): boolean {
    return this.firstStoredMs === Number.POSITIVE_INFINITY
  }

  #addReadings(entry: ReadingsLogged, storedAt: number): void {
    let bySignal = this.#places.get(entry.assignment)
    if (!bySignal) {
      bySignal = new Map()
      this.#places.set(entry.assignment, bySignal)
    }
    for (const reading of entry.readings) {
      let pending = bySignal.get(reading.signal)
      if (!pending) {
        const { tenant, device, assignment, subject } = entry
        pending = {
          name: { tenant, device, signal: reading.signal, assignment, subject },
          readings: [],
          entries: [],
          storedMs: [],
        }
        bySignal.set(reading.signal, pending)
        this.pending.push(pending)
      }
      pending.readings.push(reading)
      pending.entries.push(entry)
      pending.storedMs.push(storedAt)
    }
    this.readings += entry.readings.length
  }
}

/** How far storedAt may be from measuredAt and not be kept. */
const ON_TIME_MS = 10_000
/** Of what is expected less often than this, storedAt is always kept: few readings, and the record says when each came. */
const SELDOM_MS = 60_000
/** Of the rest the first in each such span of the device's time keeps it: the record names it as the span's first. */
const SLOT_MS = 300_000

/**
 * The readings as they are stored. storedAt stays with those that came late, early or out of order, so that a replay in the
 * order of arrival equals what the rules saw; and with those that become a resource each, so that it can be made again.
 * @param newestMs measuredAt of the series' newest reading before these
 */
export function keptReadings(pending: Pending, newestMs: number): KeptReading[] {
  const slotOf = (measuredAt: number) => spanStart(pending.name.device, measuredAt, SLOT_MS)
  let newest = newestMs
  let slot = slotOf(newest)
  const { intervalMs } = signal(pending.name.signal) ?? { intervalMs: null }
  const isSeldom = intervalMs === null || intervalMs >= SELDOM_MS
  return pending.readings.map((reading, i) => {
    const entry = pending.entries[i]!
    const storedAt = pending.storedMs[i]!
    const isTold =
      isSeldom ||
      reading.groupId !== undefined ||
      reading.measuredAt < slot ||
      reading.measuredAt >= slot + SLOT_MS ||
      entry.origin !== 'automatic'
    const onTime = !isTold && Math.abs(storedAt - reading.measuredAt) <= ON_TIME_MS && reading.measuredAt >= newest
    newest = Math.max(newest, reading.measuredAt)
    if (newest >= slot + SLOT_MS) slot = slotOf(newest)
    if (onTime) return reading
    return {
      ...reading,
      storedAt,
      ...(entry.origin === 'automatic' ? {} : { origin: entry.origin }),
      ...(entry.enteredBy === undefined ? {} : { enteredBy: entry.enteredBy }),
    }
  })
}
