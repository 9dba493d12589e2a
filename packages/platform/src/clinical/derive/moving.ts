/**
 * Which changes of an assignment move readings. Most hand out or take back a device of which nothing was measured since: nothing of
 * the record changes by them, and what comes behind does not wait until telemetry has seen them.
 */
import type { AssignmentChanged, LogEntry } from '@careloop/contract'
import type { Engine, LogCommit } from '../../engine/index.ts'
import { findSeries, spanOfReadings } from '../../telemetry/index.ts'

export class Moving {
  readonly #engine: Engine
  /** Newest measuredAt of each device in what was looked at here; what lies before it is in telemetry. */
  readonly #newest = new Map<string, number>()
  #lookedAt: number
  readonly #found = new Set<number>()

  /** @param from what the log holds up to there is asked of telemetry */
  constructor(engine: Engine, from: number) {
    this.#engine = engine
    this.#lookedAt = from
  }

  /**
   * Looks at commits once, in the order of the log.
   * @param isStored whether telemetry holds what came before the first that was ever looked at; while it does not, all are said to move
   */
  async look(commits: readonly LogCommit[], isStored: () => Promise<boolean>): Promise<void> {
    const unsure: { readonly position: number; readonly change: AssignmentChanged }[] = []
    for (const { position, entries } of commits) {
      if (position <= this.#lookedAt) continue
      this.#lookedAt = position
      for (const entry of entries) {
        if (entry.kind === 'readings') this.#note(entry.device, entry.readings)
        else if (!isAssignment(entry)) continue
        else if ((this.#newest.get(entry.device) ?? Number.NEGATIVE_INFINITY) >= entry.since) this.#found.add(position)
        else unsure.push({ position, change: entry })
      }
    }
    if (unsure.length === 0) return
    const isKnown = await isStored()
    for (const [tenant, own] of Map.groupBy(unsure, ({ change }) => change.tenant)) {
      const devices = [...new Set(own.map(({ change }) => change.device))]
      const newest = isKnown ? await this.#storedOf(tenant, devices) : null
      for (const { position, change } of own)
        if (newest === null || (newest.get(change.device) ?? Number.NEGATIVE_INFINITY) >= change.since)
          this.#found.add(position)
    }
  }

  /** Of commits that were looked at. */
  has({ position }: Pick<LogCommit, 'position'>): boolean {
    return this.#found.has(position)
  }

  forget(upTo: number): void {
    for (const position of this.#found) if (position <= upTo) this.#found.delete(position)
  }

  #note(device: string, readings: readonly { readonly measuredAt: number }[]): void {
    let newest = this.#newest.get(device) ?? Number.NEGATIVE_INFINITY
    for (const { measuredAt } of readings) if (measuredAt > newest) newest = measuredAt
    this.#newest.set(device, newest)
  }

  async #storedOf(tenant: string, devices: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const series = await this.#engine.db.asTenant(tenant, (tx) => findSeries(tx, { devices }))
    const found = new Map<string, number>()
    for (const [device, own] of Map.groupBy(series, (one) => one.device)) {
      const span = await spanOfReadings(this.#engine, own)
      if (span !== null) found.set(device, span.to)
    }
    return found
  }
}

export const isAssignment = (entry: LogEntry): entry is AssignmentChanged => entry.kind === 'assignment-changed'
