/**
 * When is silence a gap? Pure: fed with what the log says in its order, gives back what is to be written. Time is log time.
 * Absence clocks run only while a door could hear; after a deaf time every series gets its whole grace again.
 */
import type { GapReason } from './schema.ts'
import { graceMs } from './series.ts'

export type GapChange =
  | { readonly kind: 'opened'; readonly series: number; readonly fromMs: number; readonly reason: GapReason }
  /** The open gap ended where data begins again. */
  | { readonly kind: 'closed'; readonly series: number; readonly toMs: number; readonly graceMs: number }
  /** Seen only afterwards: data went on after a hole. */
  | {
      readonly kind: 'found'
      readonly series: number
      readonly fromMs: number
      readonly toMs: number
      readonly reason: GapReason
    }
  /** Late readings that may lie in gaps written before: those shrink or split. */
  | { readonly kind: 'filled'; readonly series: number; readonly times: readonly number[]; readonly graceMs: number }
  /** The device measures less often than its signal usually is: remembered, so that a restart does not see gaps. */
  | { readonly kind: 'learned'; readonly series: number; readonly intervalMs: number }
  | { readonly kind: 'deaf'; readonly fromMs: number; readonly toMs: number | null }

export interface Watched {
  readonly series: number
  readonly device: string
  intervalMs: number
  /** Somebody set it: nothing is learned. */
  readonly isSet: boolean
  /** What the vocabulary says, ms. */
  readonly usualMs: number
  /** measuredAt of the newest reading. */
  newestMs: number
  /** Log time of the last arrival, or of the end of a deaf time. */
  heardMs: number
  /** Where the open gap began, null when there is none. */
  gapFromMs: number | null
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** Deaf times that are remembered to explain holes that are found later. */
const REMEMBERED = 64
/** Log time that goes back by more was put right; by less, two processes' clocks differ. */
export const STEP_MS = 60_000
const LONGEST_LEARNED_MS = 86_400_000

export class GapWatch {
  readonly #series = new Map<number, Watched>()
  readonly #learned = new Map<number, number>()
  readonly #disconnected = new Set<string>()
  /** The door process that holds a device's connection. */
  readonly #connectedTo = new Map<string, string>()
  readonly #doors = new Set<string>()
  readonly #deafSpans: Span[] = []
  #deafSince: number | null = null
  #lastReadingsMs = Number.NEGATIVE_INFINITY
  #clockMs = Number.NEGATIVE_INFINITY
  #scannedMs = Number.NEGATIVE_INFINITY
  #changes: GapChange[] = []

  watch(series: Watched): void {
    this.#series.set(series.series, series)
  }

  forget(series: number): void {
    this.#series.delete(series)
  }

  get(series: number): Watched | undefined {
    return this.#series.get(series)
  }

  /** What was written before: a deaf time that is still open, or one that ended not long ago. */
  resumeDeaf(fromMs: number, toMs: number | null): void {
    if (toMs === null) this.#deafSince = fromMs
    else {
      this.#deafSpans.push({ fromMs, toMs })
      for (const watched of this.#series.values()) watched.heardMs = Math.max(watched.heardMs, toMs)
    }
  }

  /** @param times measuredAt of one series' readings of one batch, ascending */
  readings(series: number, times: ArrayLike<number>, storedMs: number): void {
    this.#goBackTo(storedMs)
    this.#lastReadingsMs = Math.max(this.#lastReadingsMs, storedMs)
    if (this.#deafSince !== null && storedMs > this.#deafSince) this.#heardAgain(storedMs)
    const watched = this.#series.get(series)
    if (!watched) return
    const late: number[] = []
    for (let i = 0; i < times.length; i++) {
      const at = times[i]!
      if (at <= watched.newestMs) late.push(at)
      else {
        this.#next(watched, at)
        watched.newestMs = at
      }
    }
    if (late.length > 0)
      this.#changes.push({ kind: 'filled', series, times: late, graceMs: graceMs(watched.intervalMs) })
    watched.heardMs = Math.max(watched.heardMs, storedMs)
  }

  #next(watched: Watched, at: number): void {
    const grace = graceMs(watched.intervalMs)
    if (watched.newestMs !== Number.NEGATIVE_INFINITY) this.#learn(watched, at - watched.newestMs)
    if (watched.gapFromMs !== null) {
      this.#changes.push({ kind: 'closed', series: watched.series, toMs: at, graceMs: grace })
      watched.gapFromMs = null
    } else if (at - watched.newestMs > grace && watched.newestMs !== Number.NEGATIVE_INFINITY) {
      const hole = { fromMs: watched.newestMs, toMs: at }
      this.#changes.push({ kind: 'found', series: watched.series, ...hole, reason: this.#reason(watched, hole) })
    }
  }

  /** A running median of the time between readings: one outage moves it by 6 %, a slower device moves it all the way. */
  #learn(watched: Watched, sinceLast: number): void {
    if (watched.isSet) return
    const learned = this.#learned.get(watched.series)
    const step = learned === undefined ? sinceLast : sinceLast > learned ? learned * 1.06 : learned / 1.06
    const median = Math.min(Math.max(step, watched.usualMs), LONGEST_LEARNED_MS)
    this.#learned.set(watched.series, median)
    if (median < watched.intervalMs * 1.5 && median > watched.intervalMs / 1.5) return
    watched.intervalMs = Math.round(median)
    this.#changes.push({ kind: 'learned', series: watched.series, intervalMs: watched.intervalMs })
  }

  /** @param process the door process that holds or held the connection, when it is known */
  connected(device: string, isConnected: boolean, process?: string): void {
    if (isConnected) {
      this.#disconnected.delete(device)
      if (process === undefined) this.#connectedTo.delete(device)
      else this.#connectedTo.set(device, process)
      return
    }
    const holder = this.#connectedTo.get(device)
    // The end of a connection that another process has taken over meanwhile.
    if (process !== undefined && holder !== undefined && holder !== process) return
    this.#connectedTo.delete(device)
    this.#disconnected.add(device)
  }

  /**
   * A clock that was ahead was put right, and log time with it. What stands in the future is drawn to now: absence clocks begin
   * anew instead of standing until that future comes.
   */
  #goBackTo(nowMs: number): void {
    if (this.#clockMs - nowMs <= STEP_MS) {
      this.#clockMs = Math.max(this.#clockMs, nowMs)
      return
    }
    this.#clockMs = nowMs
    this.#scannedMs = Math.min(this.#scannedMs, nowMs)
    this.#lastReadingsMs = Math.min(this.#lastReadingsMs, nowMs)
    if (this.#deafSince !== null) this.#deafSince = Math.min(this.#deafSince, nowMs - 1)
    for (const watched of this.#series.values()) {
      watched.heardMs = Math.min(watched.heardMs, nowMs)
      watched.newestMs = Math.min(watched.newestMs, nowMs)
    }
  }

  doorDown(process: string, atMs: number): void {
    // A door that went up before this stage was started is not known; then the first to go down counts, and the next reading
    // that is heard nevertheless ends it.
    this.#doors.delete(process)
    for (const [device, holder] of this.#connectedTo) if (holder === process) this.connected(device, false, process)
    this.#goBackTo(atMs)
    if (this.#doors.size > 0 || this.#deafSince !== null) return
    this.#deafSince = atMs
    this.#changes.push({ kind: 'deaf', fromMs: atMs, toMs: null })
  }

  /** @param heardUntilMs after a crash: when that door was last known to hear */
  doorUp(process: string, atMs: number, heardUntilMs: number | undefined): void {
    this.#goBackTo(atMs)
    const since = this.#deafSince ?? this.#crashedSince(heardUntilMs, atMs)
    if (heardUntilMs !== undefined) this.#doors.clear() // it tells that no other door was alive
    this.#doors.add(process)
    if (since === null) return
    this.#deafSince = since
    this.#heardAgain(atMs)
  }

  #heardAgain(atMs: number): void {
    const fromMs = this.#deafSince!
    this.#deafSince = null
    if (atMs <= fromMs) return
    this.#changes.push({ kind: 'deaf', fromMs, toMs: atMs })
    this.#deafSpans.push({ fromMs, toMs: atMs })
    if (this.#deafSpans.length > REMEMBERED) this.#deafSpans.shift()
    for (const watched of this.#series.values()) watched.heardMs = Math.max(watched.heardMs, atMs)
  }

  /** Whatever was logged meanwhile was heard. */
  #crashedSince(heardUntilMs: number | undefined, atMs: number): number | null {
    if (heardUntilMs === undefined) return null
    const since = Math.max(heardUntilMs, this.#lastReadingsMs)
    return since < atMs ? since : null
  }

  /** Looks for overdue series; cheap, and at most once a second of log time. */
  tick(nowMs: number): void {
    this.#goBackTo(nowMs)
    if (nowMs - this.#scannedMs < 1_000 && nowMs > this.#scannedMs) return
    this.#scannedMs = nowMs
    if (this.#deafSince !== null) return
    for (const watched of this.#series.values()) {
      if (watched.gapFromMs !== null || nowMs - watched.heardMs <= graceMs(watched.intervalMs)) continue
      if (watched.newestMs === Number.NEGATIVE_INFINITY) continue
      watched.gapFromMs = watched.newestMs
      const hole = { fromMs: watched.newestMs, toMs: nowMs }
      this.#changes.push({
        kind: 'opened',
        series: watched.series,
        fromMs: hole.fromMs,
        reason: this.#reason(watched, hole),
      })
    }
  }

  /** Mostly deaf: we are the reason. Else what the device's connection says. */
  #reason(watched: Watched, hole: Span): GapReason {
    let deaf = 0
    for (const span of this.#deafSpans)
      deaf += Math.max(0, Math.min(span.toMs, hole.toMs) - Math.max(span.fromMs, hole.fromMs))
    if (deaf * 2 >= hole.toMs - hole.fromMs) return 'deaf'
    return this.#disconnected.has(watched.device) ? 'offline' : 'no-data'
  }

  /** What is to be written since the last call, in order. */
  take(): GapChange[] {
    const changes = this.#changes
    this.#changes = []
    return changes
  }
}

/**
 * What is left of a gap when late readings come to light inside it.
 * @returns the parts that are still longer than the grace, in order
 */
export function splitGap(
  gap: { fromMs: number; toMs: number | null },
  times: readonly number[],
  grace: number,
): { fromMs: number; toMs: number | null }[] {
  const inside = times
    .filter((at) => at > gap.fromMs && (gap.toMs === null || at < gap.toMs))
    .map((at) => Math.round(at))
    .sort((a, b) => a - b)
  if (inside.length === 0) return [gap]
  const edges = [gap.fromMs, ...inside, gap.toMs]
  const parts: { fromMs: number; toMs: number | null }[] = []
  for (let i = 1; i < edges.length; i++) {
    const fromMs = edges[i - 1]!
    const toMs = edges[i]!
    if (toMs === null || toMs - fromMs > grace) parts.push({ fromMs, toMs })
  }
  return parts
}
