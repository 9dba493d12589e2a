/**
 * What the stage knows of the series it writes: their rows and newest reading, how much is open, and since when. All of it
 * can be read from the database again; after any error it is.
 */
import { bigints, type Engine } from '../engine/index.ts'
import { ensureSeries, findSeries, newestOf, type Series, type SeriesName } from './series.ts'

export interface BookEntry {
  series: Series
  newestMs: number
  openReadings: number
  /** storedAt of the oldest open reading; Infinity when nothing is open. */
  openSinceMs: number
}

export class SeriesBook {
  readonly #byAssignment = new Map<string, Map<string, BookEntry>>()
  readonly #byId = new Map<number, BookEntry>()

  get(id: number): BookEntry | undefined {
    return this.#byId.get(id)
  }

  find(name: SeriesName): BookEntry | undefined {
    return this.#byAssignment.get(name.assignment ?? '')?.get(name.signal)
  }

  entries(): Iterable<BookEntry> {
    return this.#byId.values()
  }

  /** Makes or finds series that are not in the book yet. */
  async learn(engine: Pick<Engine, 'db'>, names: readonly SeriesName[]): Promise<Series[]> {
    const unknown = names.filter((name) => !this.find(name))
    const learned: Series[] = []
    for (const [tenant, own] of Map.groupBy(unknown, (name) => name.tenant))
      learned.push(...(await engine.db.asTenant(tenant, (tx) => ensureSeries(tx, own))))
    await this.#enter(engine, learned)
    return learned
  }

  /** What is open in this partition, and every series that can have a gap. */
  async load(engine: Pick<Engine, 'db'>, partition: number): Promise<void> {
    const open = await openParts(engine, { partition })
    for (const tenant of await engine.db.tenants()) {
      const all = await engine.db.asTenant(tenant, (tx) => findSeries(tx, {}))
      const wanted = all.filter((one) => open.has(one.id) || (one.intervalMs !== null && one.wornUntilMs === null))
      await this.#enter(engine, wanted)
    }
    this.#note(open)
  }

  /** Reads a device's series again. @returns ids that were known before, and what is known now */
  async relearn(
    engine: Pick<Engine, 'db'>,
    tenant: string,
    device: string,
  ): Promise<{ gone: number[]; entries: BookEntry[] }> {
    const gone = [...this.#byId.values()].filter((entry) => entry.series.device === device)
    for (const { series } of gone) {
      this.#byId.delete(series.id)
      this.#byAssignment.get(series.assignment ?? '')?.delete(series.signal)
    }
    const series = await engine.db.asTenant(tenant, (tx) => findSeries(tx, { device }))
    if (series.length > 0) {
      await this.#enter(engine, series)
      this.#note(await openParts(engine, { ids: series.map((one) => one.id) }))
    }
    return { gone: gone.map((entry) => entry.series.id), entries: series.map((one) => this.#byId.get(one.id)!) }
  }

  #note(open: ReadonlyMap<number, Pick<BookEntry, 'openReadings' | 'openSinceMs'>>): void {
    for (const [id, part] of open) {
      const entry = this.#byId.get(id)
      if (entry) Object.assign(entry, part)
    }
  }

  async #enter(engine: Pick<Engine, 'db'>, series: readonly Series[]): Promise<void> {
    for (let start = 0; start < series.length; start += 5_000) {
      const some = series.slice(start, start + 5_000)
      const ids = some.map((one) => one.id)
      const newest = await engine.db.asEngine((tx) => newestOf(tx, ids))
      some.forEach((one, i) => {
        const entry = { series: one, newestMs: newest[i]!, openReadings: 0, openSinceMs: Number.POSITIVE_INFINITY }
        let bySignal = this.#byAssignment.get(one.assignment ?? '')
        if (!bySignal) {
          bySignal = new Map()
          this.#byAssignment.set(one.assignment ?? '', bySignal)
        }
        bySignal.set(one.signal, entry)
        this.#byId.set(one.id, entry)
      })
    }
  }
}

async function openParts(engine: Pick<Engine, 'db'>, which: { partition?: number; ids?: readonly number[] }) {
  const { rows } = await engine.db.asEngine((tx) =>
    tx.client.query<{ series_id: string; n: string; since: string }>(
      `select series_id, sum(n) as n, min(stored_ms) as since from engine.sample
        where ${which.ids ? 'series_id = any($1::bigint[])' : 'partition = $1'} group by series_id`,
      [which.ids ? bigints(which.ids) : (which.partition ?? 0)],
    ),
  )
  return new Map(
    rows.map((row) => [Number(row.series_id), { openReadings: Number(row.n), openSinceMs: Number(row.since) }]),
  )
}
