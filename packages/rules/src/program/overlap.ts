import type { Condition } from '../rule.ts'

/** Why a value would both raise and clear, which makes an alert flap; null when none would. */
export function overlapOf(when: Condition, clear: Condition): string | null {
  for (const raise of when.limits) {
    for (const end of clear.limits) {
      if (end.signal !== raise.signal) continue
      const raiseUp = raise.is.startsWith('>')
      if (raiseUp === end.is.startsWith('>')) continue
      const touches = raise.is.endsWith('=') && end.is.endsWith('=') && raise.limit === end.limit
      if (touches || (raiseUp ? end.limit > raise.limit : end.limit < raise.limit))
        return `${raise.signal} would raise and clear at the same value. Clear on the safe side of ${raise.limit}.`
    }
  }
  return null
}
