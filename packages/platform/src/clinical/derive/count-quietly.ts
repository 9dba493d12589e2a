/**
 * Entries of which nothing is to be written: most of what streams send. They are counted in memory, without a transaction; what is
 * lost with the process is counted again from telemetry.
 */
import { isFromRecord } from './from-record.ts'
import { wayOf } from './sort-reading.ts'
import type { StoredEntry } from './take-entries.ts'
import type { OpenWindow, Windows } from './windows.ts'

export const onlyCount = (windows: Windows, entries: readonly StoredEntry[]): boolean =>
  entries.every(
    ({ entry, storedAt }) =>
      isFromRecord(entry) ||
      entry.readings.every((reading) => {
        const way = wayOf(reading, entry.origin)
        return way.way === 'none' || (way.way === 'window' && windows.onlyCounts(entry, reading, way.policy, storedAt))
      }),
  )

/** @returns windows that became due on the way */
export function countQuietly(windows: Windows, entries: readonly StoredEntry[]): OpenWindow[] {
  const due: OpenWindow[] = []
  for (const { entry, storedAt } of entries) {
    due.push(...windows.due(storedAt))
    if (isFromRecord(entry)) continue
    for (const reading of entry.readings) {
      const way = wayOf(reading, entry.origin)
      if (way.way === 'window') windows.take(entry, reading, way.policy, storedAt)
    }
  }
  return due
}
