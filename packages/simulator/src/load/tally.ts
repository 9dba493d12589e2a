/** Counts what a load run came to. */
import type { Answer } from '../speakers/speaker.ts'

export interface Tally {
  acknowledged: number
  refused: number
  failed: number
  took(answers: readonly Answer[], tookMs: number): void
  /** Of all so far, ms; 0 when there are none. */
  percentile(share: number): number
  readonly reasons: ReadonlyMap<string, number>
}

export function makeTally(): Tally {
  const took: number[] = []
  const reasons = new Map<string, number>()
  return {
    ...{ acknowledged: 0, refused: 0, failed: 0, reasons },
    took(answers, tookMs) {
      took.push(tookMs)
      for (const answer of answers) {
        this[answer.outcome] += answer.messages
        if (answer.outcome === 'refused')
          reasons.set(answer.reason, (reasons.get(answer.reason) ?? 0) + answer.messages)
      }
    },
    percentile(share) {
      const sorted = took.toSorted((a, b) => a - b)
      return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    },
  }
}
