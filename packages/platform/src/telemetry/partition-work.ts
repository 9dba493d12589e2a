/** One holder's work on one partition, from its lease to its end: reads the log, writes batches, seals behind. */
import { setImmediate as breathe } from 'node:timers/promises'
import { type AssignmentChanged, Failure } from '@careloop/contract'
import type { Engine, EngineTx, Lease } from '../engine/index.ts'
import { toColumns } from './codec/columns.ts'
import { knownGaps, writeGaps } from './gap-store.ts'
import { GapWatch } from './gap-watch.ts'
import { type MovePlace, moveReadings } from './move-readings.ts'
import { keptReadings, OpenBatch, type Pending } from './open-batch.ts'
import { sealSeries } from './sealer.ts'
import { insertSegments, type Segment, sealSegments } from './segments.ts'
import { keyOwner, noteSeries, type Series } from './series.ts'
import { type BookEntry, SeriesBook } from './series-book.ts'
import type { StorePorts } from './store-ports.ts'
import { telemetryMetrics } from './telemetry-metrics.ts'
import type { TelemetryOptions } from './telemetry-stage.ts'

/** Entries asked of the log at a time. */
const READ_ENTRIES = 5_000
/** A batch is written at this many readings whatever its age. */
const FULL_BATCH = 100_000
/** Log time that one batch may span: while catching up, gaps are judged at least this often. */
const BATCH_SPAN_MS = 10_000
/** A batch waits this long for company: a short segment costs as much as a long one. Under load it grows to twice as long. */
const FLUSH_AFTER_MS = 2_000
/** Ticks alone move the cursor this many times less often than readings do. */
const IDLE_FACTOR = 5
/** Series, and readings, sealed in one transaction. */
const SEAL_SERIES = 400
const SEAL_READINGS = 400_000
/** How often to look which series are due while much comes in, ms: a look passes over all of them. */
const LOOK_MS = 200
/** Segments shorter than this cost more than their readings: under load the batch is let grow. */
const SHORT_SEGMENT = 24

/** Series sealed between two turns of the event loop, about 1 ms of work. */
const BREATHE_EVERY = 20

export class PartitionWork {
  readonly #engine: Engine
  readonly #ports: StorePorts
  readonly #options: TelemetryOptions
  readonly #lease: Lease
  readonly #onFailed: () => void
  readonly #partition: number
  readonly #book = new SeriesBook()
  readonly #gaps = new GapWatch()
  readonly #metrics: ReturnType<typeof telemetryMetrics>
  #cursor = 0
  #batch = new OpenBatch(0)
  #batchSince = 0
  #flushAfterMs: number
  #sealing: Promise<void> | null = null
  #sealError: unknown = null
  #lookedMs = 0

  /** @param onFailed a seal behind has failed: whoever waits in `step` should wait no longer */
  constructor(engine: Engine, options: TelemetryOptions, lease: Lease, onFailed: () => void) {
    this.#onFailed = onFailed
    this.#engine = engine
    this.#options = options
    this.#lease = lease
    this.#partition = options.partition ?? 0
    this.#flushAfterMs = options.flushAfterMs ?? FLUSH_AFTER_MS
    this.#metrics = telemetryMetrics(engine.watch.metrics)
    const { db, keys, compute, blobs } = engine
    this.#ports = { db, keys, compute, blobs, fault: options.fault }
  }

  get #cursorName(): string {
    return `telemetry:${this.#partition}`
  }

  async load(): Promise<void> {
    this.#cursor = Number(await this.#engine.db.cursor(this.#cursorName))
    this.#batch = new OpenBatch(this.#cursor)
    await this.#checkFloor()
    await this.#book.load(this.#engine, this.#partition)
    // Silence goes on counting from the newest reading: the stage was away, the doors perhaps not.
    for (const entry of this.#book.entries()) this.#watch(entry, entry.newestMs)
    for (const tenant of await this.#engine.db.tenants()) await this.#resumeGaps(tenant, {})
  }

  /** The log must not be cut above a cursor. If it was, that is said loudly and counted; what is left is taken. */
  async #checkFloor(): Promise<void> {
    const floor = await this.#engine.log.floor(this.#partition)
    if (floor <= this.#cursor + 1) return
    this.#metrics.cut.inc(floor - 1 - this.#cursor)
    this.#engine.watch.log.error(
      { cursor: this.#cursor, floor },
      'the reading log was cut above the telemetry cursor: commits between them are not in telemetry. Restore them from a backup.',
    )
  }

  /** Reads what is new, writes when due, seals when due. */
  async step(signal: AbortSignal): Promise<void> {
    this.throwIfFailed()
    const { clock, log } = this.#engine
    const commits = await log.read(this.#partition, this.#batch.position, READ_ENTRIES)
    for (const commit of commits) {
      if (this.#batch.isEmpty) this.#batchSince = clock.now()
      const closes = this.#batch.add(commit)
      if (closes || this.#isFull()) await this.flush()
    }
    const waitMs = this.#dueInMs()
    if (waitMs <= 0 && !this.#batch.isEmpty) await this.flush()
    this.#sealWhatIsDue(commits.length > 0)
    if (commits.length === 0)
      await log.waitFor(this.#partition, this.#batch.position, Math.min(Math.max(waitMs, 1), 1_000), signal)
    // Under load the log always has more: taking it in gulps spares both sides.
    else if (this.#batch.readings > 0) await clock.sleep(Math.min(Math.max(waitMs, 0), 50), signal)
  }

  #isFull(): boolean {
    const batch = this.#batch
    return batch.readings >= FULL_BATCH || batch.lastStoredMs - batch.firstStoredMs >= BATCH_SPAN_MS
  }

  #dueInMs(): number {
    if (this.#batch.isEmpty) return 1_000
    const after =
      this.#batch.readings > 0 || this.#batch.happened.length > 0
        ? this.#flushAfterMs
        : this.#flushAfterMs * IDLE_FACTOR
    return this.#batchSince + after - this.#engine.clock.now()
  }

  /** Writes the batch and moves the cursor, in one transaction. */
  async flush(): Promise<void> {
    const batch = this.#batch
    if (batch.isEmpty) return
    if (batch.moves.length > 0) await this.#sealing // a correction takes chunks apart: nobody may be joining them
    const learned = await this.#book.learn(
      this.#engine,
      batch.pending.map((pending) => pending.name),
    )
    for (const one of learned) await this.#meet(this.#book.get(one.id)!, batch)
    const segments = await this.#sealBatch(batch)
    this.#judgeGaps(batch)
    await this.#engine.db.asEngine(async (tx) => {
      await this.#lease.assertHeld(tx)
      this.#options.fault?.('batch: begun')
      await insertSegments(tx, this.#partition, segments)
      this.#options.fault?.('batch: segments inserted')
      await this.#move(tx, batch)
      const { ids, db } = this.#engine
      await writeGaps(
        tx,
        ids,
        () => db.tenants(),
        this.#gaps.take(),
        (id) => this.#book.get(id)?.series,
      )
      await db.moveCursor(tx, this.#cursorName, String(this.#cursor), String(batch.position))
      this.#options.fault?.('batch: cursor moved')
    })
    this.#options.fault?.('batch: committed')
    this.#written(batch, segments)
    if (batch.moves.length > 0) await this.#relearn(batch.moves, batch.lastStoredMs)
  }

  async #sealBatch(batch: OpenBatch): Promise<Segment[]> {
    const segments: Segment[] = []
    for (const [i, pending] of batch.pending.entries()) {
      // Thousands of series are sealed on the doors' thread: they let acknowledgements pass every few ms.
      if (i % BREATHE_EVERY === BREATHE_EVERY - 1) await breathe()
      const entry = this.#book.find(pending.name)!
      const key = await this.#keyOf(entry.series, pending)
      if (!key) continue
      const columns = toColumns(keptReadings(pending, entry.newestMs))
      this.#metrics.repeats.inc(pending.readings.length - columns.n)
      const place = { series: entry.series.id, position: batch.position, part: 0, storedMs: pending.storedMs[0]! }
      segments.push(...sealSegments(key, columns, place))
      this.#gaps.readings(entry.series.id, columns.measuredAt, pending.storedMs.at(-1)!)
    }
    return segments
  }

  /** A person who was erased has no key and gets none: what still comes for them is let go, and counted. */
  async #keyOf(series: Series, pending: Pending) {
    try {
      return await this.#ports.keys.keyFor(...keyOwner(series))
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'key-destroyed') throw error
      this.#metrics.erased.inc(pending.readings.length)
      return null
    }
  }

  #judgeGaps(batch: OpenBatch): void {
    for (const { entry, atMs } of batch.happened) {
      if (entry.kind === 'door-down') this.#gaps.doorDown(entry.process, atMs)
      else if (entry.kind === 'door-up') this.#gaps.doorUp(entry.process, atMs, entry.heardUntil)
      else if (entry.kind !== 'device-reported') continue
      else if (entry.what === 'connected') this.#gaps.connected(entry.device, true, entry.process)
      else if (entry.what === 'disconnected' || entry.what === 'last-will')
        this.#gaps.connected(entry.device, false, entry.process)
    }
    this.#gaps.tick(batch.lastStoredMs)
  }

  async #move(tx: EngineTx, batch: OpenBatch): Promise<void> {
    const place: MovePlace = {
      partition: this.#partition,
      position: batch.position,
      storedMs: batch.lastStoredMs,
      nextPart: 1 << 20,
    }
    for (const change of batch.moves) {
      this.#metrics.moved.inc(await moveReadings(this.#ports, tx, change, place))
    }
  }

  #written(batch: OpenBatch, segments: readonly Segment[]): void {
    for (const segment of segments) {
      const entry = this.#book.get(segment.series)!
      entry.newestMs = Math.max(entry.newestMs, segment.lastMs)
      entry.openReadings += segment.n
      entry.openSinceMs = Math.min(entry.openSinceMs, segment.storedMs)
    }
    this.#metrics.stored.inc(batch.readings)
    this.#metrics.behind.set((this.#engine.clock.now() - batch.lastStoredMs) / 1_000)
    const usual = this.#options.flushAfterMs ?? FLUSH_AFTER_MS
    const short = segments.length > 200 && batch.readings / segments.length < SHORT_SEGMENT
    this.#flushAfterMs = short
      ? Math.min(this.#flushAfterMs * 1.5, usual * 2)
      : Math.max(this.#flushAfterMs / 1.1, usual)
    this.#cursor = batch.position
    this.#batch = new OpenBatch(batch.position)
  }

  /** After a correction the rows say who wears what, what is open, and where silence began. */
  async #relearn(moves: readonly AssignmentChanged[], heardMs: number): Promise<void> {
    for (const { tenant, device } of moves) {
      const { gone, entries } = await this.#book.relearn(this.#engine, tenant, device)
      for (const id of gone) this.#gaps.forget(id)
      for (const entry of entries) this.#watch(entry, heardMs)
      await this.#resumeGaps(tenant, { device })
    }
  }

  async #resumeGaps(tenant: string, choice: { device?: string }): Promise<void> {
    for (const gap of await knownGaps(this.#engine, tenant, choice)) {
      if (gap.series === null) this.#gaps.resumeDeaf(gap.fromMs, gap.toMs)
      else {
        const watched = this.#gaps.get(gap.series)
        if (watched) watched.gapFromMs = gap.fromMs
      }
    }
  }

  /** A series' first batch: what fleet knows of its device and its assignment. */
  async #meet(entry: BookEntry, batch: OpenBatch): Promise<void> {
    const { tenant, device, assignment, intervalMs } = entry.series
    const pending = batch.pending.find((one) => this.#book.find(one.name) === entry)
    const { whoWears, deviceIntervalMs } = this.#options
    if (intervalMs !== null && assignment !== null && pending) {
      const span = await whoWears?.(tenant, device, pending.readings.at(-1)!.measuredAt)
      const setMs = await deviceIntervalMs?.(tenant, device)
      // What another record system tells comes when it does: its silence is no gap.
      const unworn = pending.entries.at(-1)!.origin === 'ehr' ? 0 : entry.series.wornUntilMs
      const wornUntilMs = span && span.id === assignment ? span.to : unworn
      entry.series = {
        ...entry.series,
        wornUntilMs,
        ...(setMs ? { intervalMs: setMs, isIntervalSet: true } : {}),
      }
      if (wornUntilMs !== null || setMs) await this.#engine.db.asTenant(tenant, (tx) => noteSeries(tx, entry.series))
    }
    this.#watch(entry, batch.firstStoredMs)
  }

  #watch(entry: BookEntry, heardMs: number): void {
    const { id, device, intervalMs, isIntervalSet, wornUntilMs } = entry.series
    if (intervalMs === null || wornUntilMs !== null || entry.series.subject === null) return
    const watched = { series: id, device, intervalMs, isSet: isIntervalSet, usualMs: intervalMs, gapFromMs: null }
    this.#gaps.watch({ ...watched, newestMs: entry.newestMs, heardMs })
  }

  // ---------------------------------------------------------------- sealing, behind

  #sealWhatIsDue(isBusy: boolean): void {
    const now = this.#engine.clock.now()
    if (this.#sealing || (isBusy && now - this.#lookedMs < LOOK_MS)) return
    this.#lookedMs = now
    const due: BookEntry[] = []
    let readings = 0
    for (const entry of this.#book.entries()) {
      if (entry.openReadings === 0) continue
      const isOld = now - entry.openSinceMs >= (this.#options.sealAfterMs ?? 900_000)
      if (!isOld && entry.openReadings < (this.#options.sealReadings ?? 1_000)) continue
      due.push(entry)
      readings += entry.openReadings
      if (due.length >= SEAL_SERIES || readings >= SEAL_READINGS) break
    }
    if (due.length === 0) return
    this.#sealing = this.#seal(due)
      .catch((error: unknown) => {
        this.#sealError = error
        this.#onFailed()
      })
      .finally(() => {
        this.#sealing = null
      })
  }

  async #seal(due: readonly BookEntry[]): Promise<void> {
    const series = await this.#withKeys(due)
    const sealed = await sealSeries(this.#ports, series, (tx) => this.#lease.assertHeld(tx))
    this.#metrics.sealed.inc(sealed.readings)
    this.#metrics.repeats.inc(sealed.repeats)
    this.#metrics.sealedBytes.inc(sealed.bytes)
    for (const segment of sealed.segments) {
      const entry = this.#book.get(segment.series)
      if (entry) entry.openReadings -= segment.n
    }
    for (const entry of due)
      entry.openSinceMs = entry.openReadings === 0 ? Number.POSITIVE_INFINITY : this.#engine.clock.now()
  }

  /** The open readings of a person erased meanwhile cannot be sealed; erasure deletes them. */
  async #withKeys(due: readonly BookEntry[]): Promise<Series[]> {
    const able: Series[] = []
    for (const entry of due) {
      try {
        await this.#ports.keys.keyFor(...keyOwner(entry.series))
        able.push(entry.series)
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'key-destroyed') throw error
        entry.openReadings = 0
      }
    }
    return able
  }

  throwIfFailed(): void {
    if (this.#sealError) throw this.#sealError
  }

  /** Resolves when no seal runs. */
  async settled(): Promise<void> {
    await this.#sealing
  }
}
