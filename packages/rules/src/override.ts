/** Limits of one subject that differ from its program's: a rule's body with changes, checked like a program. Pure. */
import { isPlausible, signal } from '@careloop/contract'
import { programFailure } from './program/errors.ts'
import { overlapOf } from './program/overlap.ts'
import type { Condition, Limit, RuleBody } from './rule.ts'

/**
 * One changed number. `when`, `clear`: the limit of that index, in the signal's canonical unit. Of an absence rule `after` is its
 * span in ms; of a rate rule `by` is its change in the canonical unit; of a count rule `count` is its number. Those have index 0.
 */
export interface LimitChange {
  readonly part: 'when' | 'clear' | 'after' | 'by' | 'count'
  readonly index: number
  readonly limit: number
}

/**
 * The body with the changes. A clear limit that lay at the changed limit, or would now overlap with it, moves along unless it is
 * changed itself.
 * @throws Failure `override-invalid`, its pointer `/changes/<n>/...` to the change at fault
 */
export function applyOverride(body: RuleBody, changes: readonly LimitChange[]): RuleBody {
  changes.forEach((change, n) => {
    const same = changes.findIndex((other) => other.part === change.part && other.index === change.index)
    if (same !== n) throw invalid(n, '', 'The same limit is changed twice. Leave one of the changes out.')
    if (!Number.isFinite(change.limit)) throw invalid(n, '/limit', 'A limit is a number.')
  })
  if (body.kind === 'absence') {
    const spans = changes.map(after)
    return spans.length === 0 ? body : { ...body, afterMs: spans[0]! }
  }
  if (body.kind === 'rate') return withRate(body, changes)
  const { when, clear } = withLimits(body, changes)
  const changed = { ...body, when, clear: { ...body.clear, when: clear } }
  if (changed.kind !== 'count') return changed
  const n = changes.findIndex(({ part }) => part === 'count')
  return n < 0 ? changed : { ...changed, atLeast: count(changes[n]!, n) }
}

const invalid = (n: number, field: string, message: string) =>
  programFailure('override-invalid', message, { pointer: `/changes/${n}${field}` })

function after({ part, index, limit }: LimitChange, n: number): number {
  if (part !== 'after' || index !== 0) throw notOf(n, 'absence', 'after')
  if (Number.isInteger(limit) && limit >= 60_000 && limit <= maxAfterMs) return limit
  throw invalid(n, '/limit', 'Silence is told after 1 minute to 366 days: give whole milliseconds.')
}
const maxAfterMs = 366 * 86_400_000

function count({ index, limit }: LimitChange, n: number): number {
  if (index !== 0) throw notOf(n, 'count', 'when, clear, count')
  if (Number.isInteger(limit) && limit >= 2 && limit <= 32) return limit
  throw invalid(n, '/limit', 'A count is a whole number from 2 to 32.')
}

const notOf = (n: number, kind: string, parts: string) =>
  invalid(n, '/part', `A rule of the kind ${kind} has only: ${parts}, and of a limit its index. See the rule.`)

function withRate(body: Extract<RuleBody, { kind: 'rate' }>, changes: readonly LimitChange[]): RuleBody {
  let changed = body
  changes.forEach((change, n) => {
    if (change.part === 'by' && change.index === 0) {
      if (!(change.limit > 0)) throw invalid(n, '/limit', 'A change is more than 0.')
      changed = { ...changed, by: change.limit }
    } else if (change.part === 'clear' && changed.clear.when !== null) {
      checked(changed.clear.when.limits[change.index], change, n)
      changed = { ...changed, clear: { ...changed.clear, when: replaced(changed.clear.when, change) } }
    } else throw notOf(n, 'rate', 'by, clear')
  })
  return changed
}

function withLimits(
  body: Extract<RuleBody, { kind: 'threshold' | 'count' }>,
  changes: readonly LimitChange[],
): { when: Condition; clear: Condition } {
  let { when } = body
  let clear = body.clear.when
  for (const [n, change] of changes.entries()) {
    if (change.part === 'count' && body.kind === 'count') continue
    if (change.part !== 'when' && change.part !== 'clear')
      throw notOf(n, body.kind, body.kind === 'count' ? 'when, clear, count' : 'when, clear')
    const before = (change.part === 'when' ? body.when : body.clear.when).limits[change.index]
    checked(before, change, n)
    if (change.part === 'clear') clear = replaced(clear, change)
    else {
      when = replaced(when, change)
      clear = moveAlong(clear, before!, change.limit, changes)
    }
  }
  const overlap = overlapOf(when, clear)
  if (overlap === null) return { when, clear }
  const at = changes.findLastIndex(({ part }) => part === 'clear')
  throw invalid(Math.max(at, 0), '/limit', overlap)
}

function checked(before: Limit | undefined, change: LimitChange, n: number): void {
  if (before === undefined) throw invalid(n, '/index', `The rule has no limit ${change.index} there.`)
  if (isPlausible(before.signal, change.limit)) return
  const known = signal(before.signal)
  const [from, to] = known?.plausible ?? [Number.NaN, Number.NaN]
  throw invalid(
    n,
    '/limit',
    `A limit of ${known?.label ?? before.signal} lies between ${from} and ${to} ${known?.unit}.`,
  )
}

const replaced = (condition: Condition, { index, limit }: LimitChange): Condition => ({
  ...condition,
  limits: condition.limits.map((each, at) => (at === index ? { ...each, limit } : each)),
})

/** A clear limit of the other direction goes with its limit, so that the distance between them stays. */
function moveAlong(clear: Condition, before: Limit, limit: number, changes: readonly LimitChange[]): Condition {
  const upward = before.is.startsWith('>')
  const limits = clear.limits.map((end, index) => {
    const isIts = end.signal === before.signal && end.is.startsWith('>') !== upward
    if (!isIts || changes.some((change) => change.part === 'clear' && change.index === index)) return end
    const overlaps = upward ? end.limit > limit : end.limit < limit
    const touches = end.limit === limit && before.is.endsWith('=') && end.is.endsWith('=')
    if (end.limit !== before.limit && !overlaps && !touches) return end
    return { ...end, limit: Number((end.limit + limit - before.limit).toPrecision(12)) }
  })
  return { ...clear, limits }
}
