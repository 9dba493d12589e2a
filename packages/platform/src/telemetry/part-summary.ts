/**
 * What a stored part comes to, for pages that show many series at once: its steps, its newest reading, and how its end lies to a
 * band. Parts do not change, so a summary is made once and kept. Pure.
 */
import type { EpochMs } from '@careloop/contract'
import { type Columns, type KeptReading, readingAt } from './codec/columns.ts'
import type { Buckets } from './codec/rollup.ts'

/** Both limits are allowed values; null = open on that side. */
export interface AllowedBand {
  readonly low: number | null
  readonly high: number | null
}

/** Readings with a number in [at, at + width). */
export interface Step {
  readonly at: EpochMs
  n: number
  sum: number
  min: number
  max: number
}

export interface PartSummary {
  readonly steps: readonly Step[]
  /** null: of a rollup, which keeps no reading. */
  readonly last: KeptReading | null
  /** The first reading after the last one within the band; null when the newest is within. */
  readonly outFrom: EpochMs | null
  /** Some reading was within the band. */
  readonly wasIn: boolean
}

/** Makes a summary, reading after reading in order of time. */
class Summing {
  readonly steps: Step[] = []
  readonly #stepMs: number
  readonly #band: AllowedBand | null
  outFrom: EpochMs | null = null
  wasIn = false

  constructor(stepMs: number, band: AllowedBand | null) {
    this.#stepMs = stepMs
    this.#band = band
  }

  add(ms: EpochMs, n: number, sum: number, min: number, max: number): void {
    const at = Math.floor(ms / this.#stepMs) * this.#stepMs
    let step = this.steps.at(-1)
    if (step === undefined || step.at !== at) {
      step = { at, n: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }
      this.steps.push(step)
    }
    step.n += n
    step.sum += sum
    if (min < step.min) step.min = min
    if (max > step.max) step.max = max
    if (this.#band !== null && isOut(this.#band, min, max)) this.outFrom ??= ms
    else {
      this.outFrom = null
      this.wasIn = true
    }
  }
}

/** Every value from the least to the greatest lies outside, on one side. */
const isOut = ({ low, high }: AllowedBand, min: number, max: number): boolean =>
  (low !== null && max < low) || (high !== null && min > high)

export function summaryOfReadings(columns: Columns, stepMs: number, band: AllowedBand | null): PartSummary {
  const summing = new Summing(stepMs, band)
  for (let i = 0; i < columns.n; i++) {
    if (columns.special?.[i] !== undefined) continue
    const value = columns.value[i]!
    summing.add(columns.measuredAt[i]!, 1, value, value, value)
  }
  const { steps, outFrom, wasIn } = summing
  return { steps, outFrom, wasIn, last: columns.n === 0 ? null : readingAt(columns, columns.n - 1) }
}

/** Of a rollup an excursion is known by the bucket only. */
export function summaryOfBuckets(buckets: Buckets, stepMs: number, band: AllowedBand | null): PartSummary {
  const summing = new Summing(stepMs, band)
  for (let i = 0; i < buckets.size; i++)
    if (buckets.n[i] !== 0)
      summing.add(buckets.start[i]!, buckets.n[i]!, buckets.sum[i]!, buckets.min[i]!, buckets.max[i]!)
  const { steps, outFrom, wasIn } = summing
  return { steps, outFrom, wasIn, last: null }
}

/** Since when it has been out without a break, of parts in order of time. */
export function outSinceOf(parts: readonly PartSummary[]): EpochMs | null {
  let since: EpochMs | null = null
  for (const { steps, outFrom, wasIn } of parts) {
    if (steps.length === 0) continue
    if (outFrom === null || wasIn || since === null) since = outFrom
  }
  return since
}
