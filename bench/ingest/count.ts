/**
 * What is stored, counted by decoding the log and telemetry and compared with the generator's own list of what was
 * acknowledged: lost = acknowledged and not stored, duplicated = stored more than once.
 */
import { readFileSync } from 'node:fs'
import type { Engine } from '../../packages/platform/src/engine/index.ts'
import type { Device } from './generator.ts'

export interface Counted {
  readonly acknowledged: number
  readonly lost: number
  readonly duplicated: number
}

const SIGNALS = ['heart-rate', 'spo2', 'respiratory-rate'] as const

/** @param stored every stored reading: device id, signal, time */
export function compare(ackFile: string, devices: readonly Device[], stored: Iterable<StoredReading>): Counted {
  const want = new Map<string, Set<number>>()
  let acknowledged = 0
  for (const line of readFileSync(ackFile, 'utf8').split('\n')) {
    if (line === '') continue
    const [index, time] = line.split(' ')
    const device = devices[Number(index)]!.device
    const times = want.get(device) ?? new Set()
    want.set(device, times)
    times.add(Number(time))
  }
  for (const times of want.values()) acknowledged += times.size
  const seen = new Map<string, Set<number>>()
  let duplicated = 0
  for (const { device, signal, measuredAt } of stored) {
    const key = `${device} ${signal}`
    const times = seen.get(key) ?? new Set()
    seen.set(key, times)
    if (times.has(measuredAt)) duplicated++
    times.add(measuredAt)
  }
  let lost = 0
  for (const [device, times] of want)
    for (const signal of SIGNALS) {
      const stored = seen.get(`${device} ${signal}`)
      for (const time of times) if (!stored?.has(time)) lost++
    }
  return { acknowledged, lost, duplicated }
}

export interface StoredReading {
  readonly device: string
  readonly signal: string
  readonly measuredAt: number
}

/** Every reading in the log, from `after` on. */
export async function readingsInLog(engine: Engine, after = 0): Promise<StoredReading[]> {
  const readings: StoredReading[] = []
  for (let position = after; ; ) {
    const commits = await engine.log.read(0, position, 20_000)
    if (commits.length === 0) return readings
    for (const { entries } of commits)
      for (const entry of entries)
        if (entry.kind === 'readings')
          for (const { signal, measuredAt } of entry.readings)
            readings.push({ device: entry.device, signal, measuredAt })
    position = commits.at(-1)!.position
  }
}
