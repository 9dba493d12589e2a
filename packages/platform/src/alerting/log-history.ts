/** The reading log read backwards in time: whose readings were whose, before a correction of who wore a device and after it. */
import type { AssignmentChanged, AssignmentSpan, EpochMs, LoggedReading, ReadingsLogged } from '@careloop/contract'
import type { CorrectedEntry } from '@careloop/rules'
import type { LogCommit, ReadingLog } from '../engine/index.ts'

type Log = Pick<ReadingLog, 'read' | 'floor'>

/** Where a correction stands in the log. */
export interface CorrectionPlace {
  readonly partition: number
  readonly position: number
  readonly index: number
}

/** How long before a correction's `since` the readings of those whom it takes from are read again, ms. */
export const lookBackMs = 3_600_000
/** measuredAt lies at most 2 min after storedAt; the rest is for clocks of several processes that differ. */
export const skewMs = 5 * 60_000
const batchEntries = 2_000
/** Positions read in any case before the place where the stretch seems to begin. */
const sampleStride = 64

/** Readings of the device that changed hands, by who had them and who has them now. */
export interface Moved {
  readonly lost: ReadonlyMap<string, readonly CorrectedEntry[]>
  readonly gained: ReadonlyMap<string, readonly CorrectedEntry[]>
  /** storedAt of the oldest commit that the log still has, when it no longer reaches back to the correction's `since`. */
  readonly logBegins: EpochMs | null
}

/** Who wore the device at an instant, by a whole history. */
export const wearerAt = (history: readonly AssignmentSpan[], at: EpochMs): string | null =>
  history.find((span) => at >= span.from && (span.to === null || at < span.to))?.subject ?? null

/** Reads a stretch of the log once, and answers from what stands in it. */
export class LogHistory {
  readonly #log: Log
  readonly #change: AssignmentChanged
  readonly #place: CorrectionPlace
  /** Earlier changes of all devices of the organisation within the stretch, in order. */
  readonly #changes = new Map<string, { position: number; change: AssignmentChanged }[]>()
  #begin = 0
  #logBegins: EpochMs | null = null

  constructor(log: Log, change: AssignmentChanged, place: CorrectionPlace) {
    this.#log = log
    this.#change = change
    this.#place = place
  }

  async moved(): Promise<Moved> {
    await this.#findBegin()
    const entries: { entry: ReadingsLogged; commit: LogCommit; index: number }[] = []
    await this.#each((entry, commit, index) => {
      if (entry.kind === 'assignment-changed') this.#note(entry, commit.position)
      else if (entry.device === this.#change.device) entries.push({ entry, commit, index })
    })
    const lost = new Map<string, CorrectedEntry[]>()
    const gained = new Map<string, CorrectedEntry[]>()
    for (const { entry, commit, index } of entries) {
      for (const reading of entry.readings.filter(({ measuredAt }) => measuredAt >= this.#change.since)) {
        const before = this.#ownerOf(entry, commit.position, reading.measuredAt)
        const after = wearerAt(this.#change.assignments, reading.measuredAt)
        if (before === after) continue
        if (before !== null) put(lost, before, entry, commit, index, reading)
        if (after !== null) put(gained, after, entry, commit, index, reading)
      }
    }
    return { lost, gained, logBegins: this.#logBegins }
  }

  /** What was and stays a subject's, of all its devices, from `lookBackMs` before the correction's `since` on. */
  async own(subjects: ReadonlySet<string>): Promise<ReadonlyMap<string, readonly CorrectedEntry[]>> {
    const own = new Map<string, CorrectedEntry[]>()
    const { device, since, assignments } = this.#change
    await this.#each((entry, commit, index) => {
      if (entry.kind !== 'readings') return
      for (const reading of entry.readings.filter(({ measuredAt }) => measuredAt >= since - lookBackMs)) {
        const owner = this.#ownerOf(entry, commit.position, reading.measuredAt)
        if (owner === null || !subjects.has(owner)) continue
        const isMoved =
          entry.device === device && reading.measuredAt >= since && wearerAt(assignments, reading.measuredAt) !== owner
        if (!isMoved) put(own, owner, entry, commit, index, reading)
      }
    })
    return own
  }

  /** Whose a reading was just before the correction: as it was stored, or as the newest change since then says. */
  #ownerOf(entry: ReadingsLogged, position: number, at: EpochMs): string | null {
    const changes = this.#changes.get(entry.device)
    const newest = changes?.findLast((each) => each.position > position && at >= each.change.since)
    return newest === undefined ? entry.subject : wearerAt(newest.change.assignments, at)
  }

  #note(change: AssignmentChanged, position: number): void {
    const known = this.#changes.get(change.device) ?? []
    this.#changes.set(change.device, known)
    known.push({ position, change })
  }

  /** Readings and assignments of the organisation, from the beginning of the stretch to just before the correction. */
  async #each(
    fn: (entry: ReadingsLogged | AssignmentChanged, commit: LogCommit, index: number) => void,
  ): Promise<void> {
    const { partition, position: until, index: untilIndex } = this.#place
    let after = this.#begin
    while (after < until) {
      const commits = await this.#log.read(partition, after, batchEntries)
      if (commits.length === 0) return
      for (const commit of commits) {
        after = commit.position
        if (after > until) return
        const entries = after === until ? commit.entries.slice(0, untilIndex) : commit.entries
        entries.forEach((entry, index) => {
          const isOurs = entry.kind === 'readings' || entry.kind === 'assignment-changed'
          if (isOurs && entry.tenant === this.#change.tenant) fn(entry, commit, index)
        })
      }
    }
  }

  /**
   * The position before the first commit that may hold what is asked for, by halving: stored times grow with positions, unless a
   * clock was put right. So samples before the place that was found are asked too, ever further apart, and the search goes on
   * before each that would have belonged to the stretch: reading too much costs time, too little would lose readings.
   */
  async #findBegin(): Promise<void> {
    const { partition, position } = this.#place
    const wanted = this.#change.since - lookBackMs - skewMs
    const floor = await this.#log.floor(partition)
    const storedAt = async (at: number) => (await this.#log.read(partition, at - 1, 1))[0]?.storedAt ?? 0
    let low = await this.#firstFrom(floor + 1, position, async (at) => (await storedAt(at)) >= wanted)
    for (let back = sampleStride; low - back > floor; back = Math.ceil(back * 1.1))
      if ((await storedAt(low - back)) >= wanted) {
        low = await this.#firstFrom(floor + 1, low - back, async (at) => (await storedAt(at)) >= wanted)
        back = sampleStride
      }
    low = Math.max(floor + 1, low - sampleStride)
    this.#begin = low - 1
    if (floor === 0 || low > floor + 1) return
    const oldest = await storedAt(low)
    if (oldest > this.#change.since + skewMs) this.#logBegins = oldest
  }

  async #firstFrom(from: number, to: number, belongs: (at: number) => Promise<boolean>): Promise<number> {
    let [low, high] = [from, to]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (await belongs(middle)) high = middle
      else low = middle + 1
    }
    return low
  }
}

function put(
  into: Map<string, CorrectedEntry[]>,
  subject: string,
  { device, receivedAt, door }: ReadingsLogged,
  { partition, position, storedAt }: LogCommit,
  index: number,
  reading: LoggedReading,
): void {
  const entries = into.get(subject) ?? []
  into.set(subject, entries)
  const last = entries.at(-1)
  if (last !== undefined && last.source.position === position && last.source.index === index)
    entries[entries.length - 1] = { ...last, readings: [...last.readings, reading] }
  else {
    const replayed = door === 'replay' ? ({ replayed: true } as const) : {}
    const source = { partition, position, index, device, receivedAt, storedAt, ...replayed }
    entries.push({ readings: [reading], source })
  }
}
