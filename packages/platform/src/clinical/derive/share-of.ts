/**
 * How much of what the log holds is taken in one transaction. What only counts is cheap, and taken as it comes: a server that has
 * much to do then asks the database seldom. What is told costs a row and some keys each, and nobody is to wait for a long transaction.
 */
import type { LogCommit } from '../../engine/index.ts'
import { isFromRecord } from './from-record.ts'
import { wayOf } from './sort-reading.ts'
import type { Windows } from './windows.ts'

/** Observations of one transaction, about: a tenth of a second. */
const SHARE = 100

/** @returns the first commits, whole, that are told in about so many Observations; at least one */
export function shareOf(commits: readonly LogCommit[], windowsOf: (tenant: string) => Windows): readonly LogCommit[] {
  const told = new Map<string, number>()
  let weight = 0
  for (const [i, { entries, storedAt }] of commits.entries()) {
    for (const entry of entries) {
      if (entry.kind !== 'readings' || isFromRecord(entry)) continue
      const windows = windowsOf(entry.tenant)
      for (const reading of entry.readings) {
        const way = wayOf(reading, entry.origin)
        if (way.way === 'none') continue
        if (way.way === 'window') {
          if (windows.onlyCounts(entry, reading, way.policy, storedAt)) continue
          const key = `${entry.device} ${reading.signal}`
          const before = told.get(key) ?? 0
          if (before >= way.policy.each) continue
          told.set(key, before + 1)
        }
        weight++
      }
    }
    if (weight > SHARE) return commits.slice(0, Math.max(1, i))
  }
  return commits
}
