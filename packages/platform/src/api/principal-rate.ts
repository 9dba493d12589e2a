/**
 * How much one asker may ask: a bucket that fills again with time, per process, in memory. What a person does by hand never meets it; a
 * page that runs wild, a script or a stolen session does, and others are served meanwhile.
 */
import type { Clock } from '../engine/index.ts'
import type { Principal } from '../identity/index.ts'
import { fail } from './errors.ts'

/** Requests a second that go on for ever, and how many at once on top of that. */
interface Budget {
  readonly perSecond: number
  readonly burst: number
}

type Kind = Principal['kind']

const person: Budget = { perSecond: 20, burst: 1_000 }
/** A device's readings have limits of their own at their door; this bounds requests, whatever is in them. */
const device: Budget = { perSecond: 50, burst: 500 }

export interface PrincipalRateOptions {
  /** Requests a second of one service token. An integration that imports for hours must not be stopped by chance. */
  readonly servicePerSecond: number
}

interface Bucket {
  left: number
  at: number
}

/** More askers than this at once, and full buckets are forgotten: they are as good as new. */
const maxBuckets = 20_000

/** @returns throws Failure `too-many-requests` when this asker asks too much */
export function makePrincipalRate(
  clock: Clock,
  { servicePerSecond }: PrincipalRateOptions,
): (principal: Pick<Principal, 'kind' | 'id'>) => void {
  const buckets = new Map<string, Bucket>()
  const service: Budget = { perSecond: servicePerSecond, burst: servicePerSecond * 5 }
  const budgetOf = (kind: Kind): Budget => (kind === 'service' ? service : kind === 'device' ? device : person)
  return ({ kind, id }) => {
    const now = clock.now()
    const budget = budgetOf(kind)
    if (buckets.size >= maxBuckets) forgetFull(buckets, now)
    const key = `${kind} ${id}`
    const known = buckets.get(key) ?? { left: budget.burst, at: now }
    const left = Math.min(budget.burst, known.left + (Math.max(0, now - known.at) / 1000) * budget.perSecond)
    buckets.set(key, { left: Math.max(0, left - 1), at: now })
    if (left >= 1) return
    throw fail('too-many-requests', 'You ask for too much at once. Wait and try again.', {
      retryAfterSeconds: Math.max(1, Math.ceil((1 - left) / budget.perSecond)),
    })
  }
}

/** Whoever asked nothing for half a minute has a full bucket again, at any of the budgets. */
function forgetFull(buckets: Map<string, Bucket>, now: number): void {
  for (const [key, { at }] of buckets) if (now - at > 30_000) buckets.delete(key)
  // Thousands of askers in half a minute: then all begin anew, which errs towards serving.
  if (buckets.size >= maxBuckets) buckets.clear()
}
