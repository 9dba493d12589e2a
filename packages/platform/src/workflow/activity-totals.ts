/** How long somebody was looked after, of entries that may overlap: two on one call are one call. Pure. */

/** [from, to), ms since 1970-01-01Z */
export interface Interval {
  readonly from: number
  readonly to: number
}

export interface Counted extends Interval {
  readonly isLive: boolean
}

/** @returns whole seconds of the union inside the range, and how many live contacts began in it, overlapping ones once */
export function totalsOf(counted: readonly Counted[], range: Interval): { seconds: number; liveContacts: number } {
  const inside = union(counted)
    .map(({ from, to }) => ({ from: Math.max(from, range.from), to: Math.min(to, range.to) }))
    .filter(({ from, to }) => to > from)
  const ms = inside.reduce((sum, { from, to }) => sum + (to - from), 0)
  const contacts = union(counted.filter(({ isLive }) => isLive))
  const began = contacts.filter(({ from }) => from >= range.from && from < range.to)
  return { seconds: Math.floor(ms / 1000), liveContacts: began.length }
}

/** Intervals that touch or overlap become one; in order. */
export function union(intervals: readonly Interval[]): Interval[] {
  const joined: { from: number; to: number }[] = []
  for (const { from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    // Two calls of which one begins as the other ends are two.
    if (last !== undefined && from < last.to) last.to = Math.max(last.to, to)
    else joined.push({ from, to })
  }
  return joined
}
