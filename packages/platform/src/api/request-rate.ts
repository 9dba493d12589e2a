/** Requests a minute from one address to one route: a fixed window in memory, bounded, per process. */
import type { Clock } from '../engine/index.ts'
import { fail } from './errors.ts'

const windowMs = 60_000
/** More addresses than this in one minute are an attack: then the window is emptied, which errs towards serving. */
const maxAddresses = 50_000

export type Admit = (route: string, ip: string, perMinute: number) => void

/** @returns throws Failure `too-many-requests` when the address asks too often */
export function makeRequestRate(clock: Clock): Admit {
  let windowStart = clock.now()
  const counts = new Map<string, number>()
  return (route, ip, perMinute) => {
    const now = clock.now()
    if (now - windowStart >= windowMs || counts.size > maxAddresses) {
      windowStart = now
      counts.clear()
    }
    const key = `${ip} ${route}`
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count > perMinute)
      throw fail('too-many-requests', 'Too many requests from this address. Wait and try again.', {
        retryAfterSeconds: Math.max(1, Math.ceil((windowStart + windowMs - now) / 1000)),
      })
  }
}
