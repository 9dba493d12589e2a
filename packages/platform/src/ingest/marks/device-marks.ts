/**
 * What is known of one device's earlier messages: enough to tell a new reading from one sent again, and its clock's epoch.
 * A pure function of the reading log: `learn` is fed the same entries when it is rebuilt as when they are first accepted.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { isCensored, type LoggedReading, type ReadingsLogged, type Value } from '@careloop/contract'
import type { ClockGuess } from '../clocks/settle-time.ts'
import { faceOf } from '../clocks/wall-clock.ts'
import { hashBytes, hashReadings, hashValue } from './hash.ts'
import { SequenceSet, type SequenceState } from './sequence-set.ts'
import { TimeWindow, type TimeWindowState } from './time-window.ts'

export interface MarksState {
  readonly v: 1
  readonly sequences: SequenceState
  readonly signals: Record<string, TimeWindowState>
  readonly deliveries: [packetId: number, hash: number][]
  readonly clock: ClockEpoch
}

/** The offset (ms, added to device time) that holds since `epoch` began. A new estimate begins a new epoch. */
export interface ClockEpoch {
  readonly epoch: number
  readonly offsetMs: number
}

const MAX_DELIVERIES = 64

export class DeviceMarks {
  readonly sequences: SequenceSet
  readonly #signals = new Map<string, TimeWindow>()
  readonly #deliveries: Map<number, number>
  clock: ClockEpoch
  /** Not saved: after a restart it is guessed anew. */
  clockGuess: ClockGuess | undefined

  constructor(state?: MarksState) {
    this.sequences = new SequenceSet(state?.sequences)
    for (const [signal, window] of Object.entries(state?.signals ?? {}))
      this.#signals.set(signal, new TimeWindow(window))
    this.#deliveries = new Map(state?.deliveries)
    this.clock = state?.clock ?? { epoch: 0, offsetMs: 0 }
  }

  window(signal: string): TimeWindow {
    const known = this.#signals.get(signal)
    if (known) return known
    const made = new TimeWindow()
    this.#signals.set(signal, made)
    return made
  }

  /** A PUBLISH delivered again (DUP) under the packet identifier it had, with the same content. */
  wasDelivered(packetId: number, hash: number): boolean {
    return this.#deliveries.get(packetId) === hash
  }

  delivered(packetId: number, hash: number): void {
    this.#deliveries.delete(packetId)
    this.#deliveries.set(packetId, hash)
    if (this.#deliveries.size > MAX_DELIVERIES) this.#deliveries.delete(this.#deliveries.keys().next().value!)
  }

  /** The newest device time of any signal: what comes after it is certainly not a repetition. */
  get newestTime(): number | undefined {
    let newest: number | undefined
    for (const window of this.#signals.values())
      if (window.newest !== undefined && (newest === undefined || window.newest > newest)) newest = window.newest
    return newest
  }

  /** Takes in what one entry of the log says. */
  learn(entry: LearntEntry): void {
    const contentHash = hashOfEntry(entry)
    if (entry.sequence !== undefined) {
      if (entry.sequenceRestarted) this.sequences.restart()
      this.sequences.add(entry.sequence, contentHash, entry.receivedAt)
    }
    if (entry.delivery) this.delivered(entry.delivery.packetId, contentHash)
    for (const reading of entry.readings) this.#learnReading(reading)
    // What was replayed tells of a clock as it was.
    if (entry.door !== 'replay' && entry.clockEpoch !== undefined && entry.clockEpoch > this.clock.epoch)
      this.clock = { epoch: entry.clockEpoch, offsetMs: entry.clockOffsetMs ?? 0 }
  }

  #learnReading(reading: LoggedReading): void {
    const time = rawTimeOf(reading)
    if (time === undefined) return
    this.window(reading.signal).add(time, reading.ordinal, hashValue(saidBy(reading)))
  }

  state(): MarksState {
    return {
      v: 1,
      sequences: this.sequences.state(),
      signals: Object.fromEntries([...this.#signals].map(([signal, window]) => [signal, window.state()])),
      deliveries: [...this.#deliveries],
      clock: this.clock,
    }
  }
}

export type LearntEntry = Pick<
  ReadingsLogged,
  | 'door'
  | 'receivedAt'
  | 'frame'
  | 'sequence'
  | 'sequenceRestarted'
  | 'delivery'
  | 'readings'
  | 'clockEpoch'
  | 'clockOffsetMs'
>

/** The value as the device sent it, in its own unit; of one beyond a limit the limit. */
function saidBy({ value, original }: LoggedReading): Value {
  if (!original) return value
  return isCensored(value) ? { comparator: value.comparator, limit: original.value } : original.value
}

/** As `rawTime` in judge.ts gave it when the reading came. */
const rawTimeOf = ({ deviceTime, deviceLocal }: LoggedReading): number | undefined =>
  deviceLocal === undefined ? deviceTime : faceOf(deviceLocal)

/** The same hash that was taken of the message when it came; see `hashOfMessage` in judge.ts. */
function hashOfEntry(entry: LearntEntry): number {
  if (entry.frame.format !== 'profile' || entry.sequence === undefined) return hashBytes(entry.frame.bytes)
  return hashReadings(
    entry.readings.map((reading) => ({
      signal: reading.signal,
      value: saidBy(reading),
      time: rawTimeOf(reading),
      ordinal: reading.ordinal,
    })),
  )
}

/** A state as it is stored (before sealing), and back. */
export const packMarks = (state: MarksState): Buffer => zstdCompressSync(Buffer.from(JSON.stringify(state)), FAST)

export const unpackMarks = (bytes: Uint8Array): MarksState =>
  JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: 64 * 1024 * 1024 }).toString()) as MarksState

const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
