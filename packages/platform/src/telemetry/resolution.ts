/** Widths of rollup buckets, and which one a chunk or a question gets. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Widths of the rollups that stand beside raw chunks. Each divides the next. */
const LADDER = [SECOND, 10 * SECOND, MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY]
/** A bucket takes the bytes of about 8 readings, so a rollup must be of many more to be worth keeping. */
const READINGS_PER_BUCKET = 16
/** Chunks shorter than this are read whole as fast as their rollup would be. */
export const WORTH_ROLLING_UP = 2_048

/** @returns bucket width in ms for a chunk's rollup, or null when none is worth its bytes */
export function rollupWidth(n: number, spanMs: number): number | null {
  if (n < WORTH_ROLLING_UP) return null
  return LADDER.find((width) => spanMs / width <= n / READINGS_PER_BUCKET) ?? null
}

/** Hourly buckets over windows of 32 days: what questions over years are answered from. Made behind, dropped when data changes. */
export const WINDOW = { widthMs: HOUR, spanMs: 32 * DAY } as const

const WIDTHS = [
  ...[1, 2, 5, 10, 20, 30].map((s) => s * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((m) => m * MINUTE),
  ...[1, 2, 3, 6, 12].map((h) => h * HOUR),
  ...[1, 2, 4, 8, 16, 32, 64, 128].map((d) => d * DAY),
]

/**
 * The finest width at which spans take at most `maxPoints` buckets together.
 * @param spans of each series' data within the question, ms
 * @param atLeastMs where only rollups are left: a multiple of their width
 */
export function widthFor(
  spans: readonly (readonly [fromMs: number, toMs: number])[],
  maxPoints: number,
  atLeastMs = 1,
): number {
  const buckets = (width: number) =>
    spans.reduce((sum, [from, to]) => sum + Math.floor(to / width) - Math.floor(from / width) + 1, 0)
  return WIDTHS.find((width) => width % atLeastMs === 0 && buckets(width) <= maxPoints) ?? WIDTHS.at(-1)!
}
