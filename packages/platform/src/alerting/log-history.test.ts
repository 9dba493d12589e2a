import type { AssignmentChanged, ReadingsLogged } from '@careloop/contract'
import { expect, test } from 'vitest'
import type { LogCommit } from '../engine/index.ts'
import { LogHistory } from './log-history.ts'

const minute = 60_000
const hour = 60 * minute
const start = Date.UTC(2026, 2, 2, 9)

/** A log in memory: one entry a commit, stored when `storedAt` says. */
const logOf = (commits: readonly LogCommit[]) => ({
  floor: async () => 0,
  read: async (_: number, after: number, max: number) => commits.slice(after, after + max),
})

test('alerting > readings logged while the clock was ahead are found by a correction after it was put right', async () => {
  const reading = (at: number): ReadingsLogged => ({
    ...{ kind: 'readings', tenant: 't', device: 'd', assignment: 'a', subject: 'anna', door: 'mqtt', receivedAt: at },
    ...{ origin: 'automatic', frame: { format: 'json', bytes: new Uint8Array() } },
    readings: [{ signal: 'systolic', value: 190, measuredAt: at, ordinal: 0 }],
  })
  const ahead = Array.from({ length: 1_000 }, (_, i) => start + 3 * hour + i)
  const right = Array.from({ length: 3_000 }, (_, i) => start + i * 1_000)
  const commits = [...ahead, ...right].map((storedAt, i): LogCommit => {
    const entry = i === 10 ? reading(storedAt) : ({ kind: 'tick', at: storedAt } as const)
    return { partition: 0, position: i + 1, storedAt, entries: [entry] }
  })
  const change: AssignmentChanged = {
    ...{ kind: 'assignment-changed', tenant: 't', device: 'd', since: start + 100 * minute },
    assignments: [{ id: 'b', subject: 'berta', from: start, to: null }],
  }
  const place = { partition: 0, position: commits.length, index: 0 }
  const { lost, gained } = await new LogHistory(logOf(commits), change, place).moved()
  expect([...lost.keys(), ...gained.keys()]).toEqual(['anna', 'berta'])
})
