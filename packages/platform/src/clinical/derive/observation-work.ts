/** One holder's work, from its lease to its end: reads the log, writes Observations, closes windows behind. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ReadingsLogged } from '@careloop/contract'
import type { Engine, EngineTx, Lease, LogCommit, TenantTx } from '../../engine/index.ts'
import { telemetryProgress } from '../../telemetry/index.ts'
import type { Clinical } from '../clinical.ts'
import { closeWindows } from './close-windows.ts'
import { correctDevice, type Owed } from './correct-device.ts'
import { countQuietly, onlyCount } from './count-quietly.ts'
import { isAssignment, Moving } from './moving.ts'
import type { observationMetrics } from './observation-metrics.ts'
import { Panels } from './panels.ts'
import type { People } from './people.ts'
import { shareOf } from './share-of.ts'
import { type StoredEntry, takeEntries } from './take-entries.ts'
import { type OpenWindow, Windows } from './windows.ts'

export const observationsCursor = 'clinical-observations:0'
const PARTITION = 0
/** Entries that are read together; `shareOf` says how many of them are taken together. */
const READ_ENTRIES = 10_000
/** Summaries a transaction: short, so that a reading does not wait behind them. */
const BATCH_WINDOWS = 60
/** Spans of time a transaction: each is a question to telemetry. */
const BATCH_SPANS = 16
/** Commits with corrections a time: the cursor moves after them. */
const MAX_CORRECTIONS = 64
/** Commits that come meanwhile are read together. Real time: it spares the machine, it decides nothing. */
const PACE_MS = 25
const WAIT_MS = 1_000
/** While nothing is written the cursor moves this often, ms. */
const MOVE_CURSOR_MS = 5_000

export interface WorkParts {
  readonly engine: Engine
  readonly clinical: Clinical
  readonly people: People
  readonly metrics: ReturnType<typeof observationMetrics>
  /** Tests throw here to stop at any step, as a crash would. */
  readonly fault?: ((step: string) => void) | undefined
}

/** A window that is due, and how far telemetry must be to know all of it. */
interface Closing {
  readonly window: OpenWindow
  readonly position: number
}

export class ObservationWork {
  readonly #parts: WorkParts
  readonly #lease: Lease
  readonly #panels = new Panels()
  readonly #windows = new Map<string, Windows>()
  #closing: Closing[] = []
  #isClosing = false
  #closed: Promise<boolean> = Promise.resolve(false)
  #failed: unknown
  /** Where the database's cursor stands. */
  #cursor = '0'
  /** Taken up to here; nothing that was written lies between. */
  #seen = 0
  #movedAt = 0
  #telemetryAt = 0
  #moving: Moving
  /** Read, and not taken yet. */
  #ahead: readonly LogCommit[] = []
  /** Where this holder began. */
  #began = 0

  constructor(parts: WorkParts, lease: Lease) {
    this.#parts = parts
    this.#lease = lease
    this.#moving = new Moving(parts.engine, 0)
  }

  async load(): Promise<void> {
    const { db } = this.#parts.engine
    this.#cursor = await db.cursor(observationsCursor)
    this.#seen = Number(this.#cursor)
    this.#began = this.#seen
    this.#moving = new Moving(this.#parts.engine, this.#began)
    this.#movedAt = this.#parts.engine.clock.now()
    for (const tenant of await db.tenants()) await db.asTenant(tenant, (tx) => this.#of(tenant).load(tx))
  }

  /** Takes in what is new, while windows are closed behind. @returns whether there was anything to do */
  async step(signal?: AbortSignal): Promise<boolean> {
    this.#throwIfFailed()
    const { log } = this.#parts.engine
    if (this.#ahead.length === 0) this.#ahead = await log.read(PARTITION, this.#seen, READ_ENTRIES)
    const commits = this.#ahead
    const took = commits.length > 0 && (await this.#takeCommits(commits))
    if (commits.length === 0) await this.#settle()
    this.#closeBehind()
    if (took) {
      if (signal !== undefined && this.#ahead.length === 0) await pause(PACE_MS)
      return true
    }
    if (signal === undefined) {
      const closed = await this.#closed
      this.#throwIfFailed()
      return closed
    }
    // Windows wait for telemetry, or a correction does: neither is told of.
    if (this.#closing.length > 0 || commits.length > 0) await pause(2 * PACE_MS)
    else await log.waitFor(PARTITION, this.#seen, WAIT_MS, signal)
    return false
  }

  /** Resolves when nothing runs behind. */
  async settled(): Promise<void> {
    await this.#closed
  }

  /** A reading does not wait behind summaries, which may have to be counted from telemetry. */
  #closeBehind(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#closed = this.#closeSome()
      .catch((error: unknown) => {
        this.#failed = error
        return false
      })
      .finally(() => {
        this.#isClosing = false
      })
  }

  #throwIfFailed(): void {
    if (this.#failed !== undefined) throw this.#failed
  }

  /** @returns false: they wait for telemetry */
  async #takeCommits(commits: readonly LogCommit[]): Promise<boolean> {
    await this.#moving.look(commits, () => this.#isStored(this.#began))
    const batch = firstBatch(
      commits,
      (commit) => this.#moving.has(commit),
      (tenant) => this.#of(tenant),
    )
    const newest = batch.at(-1)!
    const corrections = batch.flatMap((commit) =>
      this.#moving.has(commit)
        ? commit.entries.filter(isAssignment).map((change) => ({ change, storedAt: commit.storedAt }))
        : [],
    )
    if (corrections.length === 0) {
      await this.#takeEntries(batch, [], newest)
      return true
    }
    if (!(await this.#isStored(newest.position))) return false
    // What was logged with a correction is told as it was logged, then corrected like the rest; the cursor moves after both.
    if (batch.some(({ entries }) => entries.some(({ kind }) => kind === 'readings'))) await this.#takeEntries(batch, [])
    // What was counted of whoever did not wear it is written by nobody.
    await this.#closed
    this.#throwIfFailed()
    const owed: Owed[] = []
    for (const { change, storedAt } of corrections) {
      this.#of(change.tenant).forgetTotals(change.device)
      for (const { window } of this.#closing) if (window.name.device === change.device) window.totals = null
      owed.push(...(await correctDevice(this.#parts, change, storedAt, (work) => this.#within(work))))
      this.#parts.fault?.('correction: written')
    }
    await this.#takeEntries([], owed, newest, true)
    return true
  }

  /** @param upTo taken up to there; absent = it is not yet. @param mustMove the cursor moves now */
  async #takeEntries(
    batch: readonly LogCommit[],
    owed: readonly Owed[],
    upTo?: LogCommit,
    mustMove = false,
  ): Promise<void> {
    const { engine, metrics, fault } = this.#parts
    const due: OpenWindow[] = []
    const loud = byTenant(batch)
    for (const { name } of owed) if (!loud.has(name.tenant)) loud.set(name.tenant, [])
    for (const [tenant, own] of loud) {
      const windows = this.#of(tenant)
      if (owed.some(({ name }) => name.tenant === tenant) || !onlyCount(windows, own)) continue
      due.push(...countQuietly(windows, own))
      loud.delete(tenant)
    }
    let made = 0
    if (loud.size > 0 || mustMove || engine.clock.now() - this.#movedAt >= MOVE_CURSOR_MS)
      await this.#within(async (tx) => {
        for (const [tenant, own] of loud) {
          const taken = await tx.asTenant(tenant, (tenantTx) => this.#takeLoud(tenantTx, own, owed))
          due.push(...taken.due)
          made += taken.made
        }
        fault?.('batch: written')
        if (upTo !== undefined) await this.#moveCursor(tx, upTo.position)
      })
    fault?.('batch: committed')
    const newest = upTo ?? batch.at(-1)!
    if (upTo !== undefined) {
      this.#seen = upTo.position
      this.#ahead = this.#ahead.filter(({ position }) => position > this.#seen)
      this.#moving.forget(this.#seen)
    }
    for (const windows of this.#windows.values()) due.push(...windows.due(newest.storedAt))
    // A window that is closed must not begin again with readings that a restart would read once more.
    if (due.length > 0) await this.#settle()
    for (const window of due) this.#closing.push({ window, position: newest.position })
    metrics.made.inc(made)
    metrics.behind.set((engine.clock.now() - newest.storedAt) / 1_000)
  }

  #takeLoud(tx: TenantTx, entries: readonly StoredEntry[], owed: readonly Owed[]) {
    const { clinical, people } = this.#parts
    const windows = this.#of(tx.tenant)
    for (const { name, due, told } of owed) if (name.tenant === tx.tenant) windows.owe(name, due, told)
    return takeEntries({ clinical, people, panels: this.#panels, windows }, tx, entries)
  }

  async #moveCursor(tx: EngineTx, to: number): Promise<void> {
    const { db, clock } = this.#parts.engine
    await db.moveCursor(tx, observationsCursor, this.#cursor, String(to))
    tx.afterCommit(() => {
      this.#cursor = String(to)
      this.#movedAt = clock.now()
    })
  }

  /** What was only counted is behind us for good: with nothing new to take, the cursor says so. */
  async #settle(): Promise<void> {
    if (this.#cursor !== String(this.#seen)) await this.#within((tx) => this.#moveCursor(tx, this.#seen))
  }

  async #closeSome(): Promise<boolean> {
    const all = this.#closing
    this.#closing = []
    const [ready, rest] = [[] as Closing[], [] as Closing[]]
    const spans = new Set<number>()
    for (const closing of all) {
      const { name, totals } = closing.window
      const isCheap = totals !== null || spans.size < BATCH_SPANS || spans.has(name.from)
      if (ready.length >= BATCH_WINDOWS || !isCheap || !(await this.#isKnown(closing))) rest.push(closing)
      else {
        if (totals === null) spans.add(name.from)
        ready.push(closing)
      }
    }
    this.#closing = [...rest, ...this.#closing]
    if (ready.length === 0) return false
    const windows = ready.map(({ window }) => window)
    const made = await closeWindows(this.#parts, windows, (work) => this.#within(work))
    this.#parts.fault?.('windows: closed')
    this.#parts.metrics.made.inc(made)
    return true
  }

  async #isKnown({ window, position }: Closing): Promise<boolean> {
    return window.totals !== null || (await this.#isStored(position))
  }

  /** Whether telemetry holds what the log holds up to there. */
  async #isStored(position: number): Promise<boolean> {
    if (this.#telemetryAt < position) this.#telemetryAt = Number((await telemetryProgress(this.#parts.engine)).at)
    return this.#telemetryAt >= position
  }

  #within(work: (tx: EngineTx) => Promise<void>): Promise<void> {
    return this.#parts.engine.db.asEngine(async (tx) => {
      await this.#lease.assertHeld(tx)
      await work(tx)
    })
  }

  #of(tenant: string): Windows {
    const known = this.#windows.get(tenant)
    if (known !== undefined) return known
    const made = new Windows(tenant)
    this.#windows.set(tenant, made)
    return made
  }
}

/**
 * What was logged before a correction is taken before it. Corrections one after the other are taken together, since each follows from
 * what is stored when all are; one that shares its commit with readings is taken alone.
 */
function firstBatch(
  commits: readonly LogCommit[],
  moves: (commit: LogCommit) => boolean,
  windowsOf: (tenant: string) => Windows,
): readonly LogCommit[] {
  const at = commits.findIndex(moves)
  if (at !== 0) return shareOf(at === -1 ? commits : commits.slice(0, at), windowsOf)
  const end = commits.findIndex(({ entries }) => entries.some(({ kind }) => kind === 'readings'))
  return commits.slice(0, end === -1 ? MAX_CORRECTIONS : Math.max(1, Math.min(end, MAX_CORRECTIONS)))
}

function byTenant(commits: readonly LogCommit[]): Map<string, StoredEntry[]> {
  const found = new Map<string, StoredEntry[]>()
  for (const { entries, storedAt } of commits)
    for (const entry of entries) {
      if (!('tenant' in entry)) continue
      const own = found.get(entry.tenant) ?? []
      found.set(entry.tenant, own)
      if (entry.kind === 'readings') own.push({ entry: entry satisfies ReadingsLogged, storedAt })
    }
  return found
}
