/**
 * Which chunks are opened again when open readings are sealed, and where each reading goes. Pure; times and counts only.
 *
 * Chunks of a series never overlap (they may share an instant). A reading inside a chunk's reach re-seals that chunk; readings
 * after the last one become a new chunk, which takes small ones before it along, so that a series of one reading a day does
 * not end as a chunk a day. Each reading is written about twice: at ~1,000 readings and at ~4,000.
 */

/** Sealed readings that stay as they are until late data or a neighbour's growth opens them. */
export interface ChunkSpan {
  readonly fromMs: number
  readonly toMs: number
  readonly part: number
  readonly n: number
}

/** One new chunk, or several if it becomes too long: old chunks joined with the open readings from `startMs` on. */
export interface SealGroup {
  /** Open readings measured at or after this, and before the next group's, belong here. -Infinity for the first. */
  readonly startMs: number
  readonly absorbs: readonly ChunkSpan[]
}

/** A chunk below this is opened again by the next seal: rewriting a kilobyte is cheaper than another row. */
export const SMALL = 512
/** Smaller ones at the end are joined once they hold this many together. */
export const FULL = 4_096
/** No chunk is made longer. Late data may leave a chunk of up to this; beyond, it is split evenly. */
export const LONGEST = 8_192

/**
 * @param chunks of one series in order of time
 * @param openMs times of the open readings, in any order, at least one
 * @returns groups in order of time
 */
export function planSeal(chunks: readonly ChunkSpan[], openMs: ArrayLike<number>): SealGroup[] {
  const last = chunks.at(-1)
  const reopened = new Set<number>()
  let before = 0
  let after = 0
  for (let i = 0; i < openMs.length; i++) {
    const at = openMs[i]!
    if (!last || at >= last.toMs) after++
    else if (at < chunks[0]!.fromMs) before++
    else reopened.add(homeOf(chunks, at))
  }
  const groups: SealGroup[] = []
  if (before > 0) {
    // Older than all there is: the first chunk takes a few, a backfill makes chunks of its own.
    const first = chunks[0]!
    if (reopened.has(0) || first.n + before <= LONGEST) {
      reopened.delete(0)
      groups.push({ startMs: Number.NEGATIVE_INFINITY, absorbs: [first] })
    } else groups.push({ startMs: Number.NEGATIVE_INFINITY, absorbs: [] })
  }
  const taken = groups[0]?.absorbs.length === 1 ? 1 : 0
  const tail = after > 0 ? tailStart(chunks, after, reopened, taken) : chunks.length
  for (const index of [...reopened].sort((a, b) => a - b))
    if (index < tail) groups.push({ startMs: chunks[index]!.fromMs, absorbs: [chunks[index]!] })
  if (after > 0) {
    const absorbs = chunks.slice(tail)
    groups.push({ startMs: absorbs[0]?.fromMs ?? last?.toMs ?? Number.NEGATIVE_INFINITY, absorbs })
  }
  return groups
}

/** The chunk that a reading inside the chunks' reach belongs to: the last one that begins at or before it. */
function homeOf(chunks: readonly ChunkSpan[], at: number): number {
  let low = 0
  let high = chunks.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (chunks[middle]!.fromMs <= at) low = middle
    else high = middle - 1
  }
  return low
}

/** Index of the first chunk that joins `after` new readings at the end; chunks.length when none does. */
function tailStart(chunks: readonly ChunkSpan[], after: number, reopened: ReadonlySet<number>, taken: number): number {
  let start = chunks.length
  let sum = after
  let best = start
  let joining = true
  while (start > taken) {
    const chunk = chunks[start - 1]!
    if (chunk.n >= FULL || sum + chunk.n > LONGEST) break
    start--
    sum += chunk.n
    joining &&= chunk.n < SMALL || reopened.has(start)
    if (joining || sum >= FULL) best = start
  }
  return best
}

/** Which of the groups takes a reading measured at `at`. */
export function groupOf(groups: readonly SealGroup[], at: number): number {
  let index = groups.length - 1
  while (index > 0 && groups[index]!.startMs > at) index--
  return index
}
