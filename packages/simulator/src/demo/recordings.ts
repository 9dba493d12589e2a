/**
 * Measurements that somebody really made, when they lie beside the repository; else the simulator's own. They are shown under
 * invented names and never copied: the files stay where they are.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EpochMs } from '@careloop/contract'
import { fridgeProbe } from '../devices/environmental.ts'
import { bloodPressureCuff } from '../devices/personal.ts'
import { tellings } from '../devices/virtual-device.ts'
import { DAY, HOUR, MINUTE } from '../signals/day-rhythm.ts'
import { aPerson } from '../signals/person.ts'
import { aRefrigerator } from '../signals/refrigerator.ts'

export interface Recorded {
  readonly at: EpochMs
  readonly values: Readonly<Record<string, number>>
}

export interface Recording {
  readonly recorded: readonly Recorded[]
  /** For people: where it comes from. */
  readonly source: string
}

/** Home blood pressure, oldest first. */
export function bloodPressureRecording(shared: string, now: EpochMs): Recording {
  const file = read(join(shared, 'datasets', 'blood-pressure', 'bp_jhs.csv'))
  if (file === null) return { recorded: inventedPressures(now), source: "the simulator's own signals" }
  return { recorded: readPressures(file), source: 'real home measurements of one person (CC0), under an invented name' }
}

/** Columns: DateTime, ..., Sys.mmHg., Dias.mmHg., bpDelta, Pulse.bpm. Times are local and name no zone: only their spacing is used. */
export function readPressures(csv: string): Recorded[] {
  const [head = '', ...lines] = csv.trim().split(/\r?\n/)
  const cells = (line: string) => line.split(',').map((cell) => cell.replace(/^"|"$/g, ''))
  const columns = cells(head)
  const place = (name: string) => {
    const found = columns.indexOf(name)
    if (found < 0) throw new Error(`the blood-pressure file has no column ${name}`)
    return found
  }
  const [at, systolic, diastolic, pulse] = ['DateTime', 'Sys.mmHg.', 'Dias.mmHg.', 'Pulse.bpm.'].map(place)
  return lines
    .map(cells)
    .map((line) => ({
      at: Date.parse(`${line[at!]}Z`),
      values: {
        systolic: Number(line[systolic!]),
        diastolic: Number(line[diastolic!]),
        'pulse-rate': Number(line[pulse!]),
      },
    }))
    .sort((a, b) => a.at - b.at)
}

function inventedPressures(now: EpochMs): Recorded[] {
  const person = aPerson('holly', { systolic: 148, diastolic: 93 })
  return recordedBy(bloodPressureCuff(person, { name: 'invented', everyMs: 11 * HOUR }), now - 40 * DAY, now)
}

/** A refrigerator's probe, oldest first, with a time above 8 Cel near its end. */
export function refrigeratorRecording(shared: string, now: EpochMs): Recording {
  for (const file of logFiles(join(shared, 'cold-chain'))) {
    const recorded = readLog(file)
    if (recorded !== null) return { recorded, source: 'the report of a real refrigerator logger, replayed' }
  }
  return { recorded: inventedTemperatures(now), source: "the simulator's own signals" }
}

/** A log is an array of `{t: "YYYY-MM-DD HH:mm", c: Cel}`. Null when it is of no refrigerator that warmed (a freezer's, say). */
export function readLog(json: string): Recorded[] | null {
  const log = JSON.parse(json) as { t: string; c: number }[]
  const recorded = log.map(({ t, c }) => ({
    at: Date.parse(`${t.replace(' ', 'T')}Z`),
    values: { 'temperature-probe': c },
  }))
  const first = log[0]?.c ?? Number.NaN
  return first >= 0 && first <= 8 && excursionEnd(recorded) !== null ? recorded : null
}

function inventedTemperatures(now: EpochMs): Recorded[] {
  const fridge = aRefrigerator('invented', { script: [{ kind: 'door-open', from: now - 50 * MINUTE }] })
  return recordedBy(fridgeProbe(fridge, { name: 'invented', everyMs: 10 * MINUTE }), now - DAY, now + 6 * HOUR)
}

function recordedBy(device: Parameters<typeof tellings>[0], from: EpochMs, to: EpochMs): Recorded[] {
  return tellings(device, from, to).flatMap((said) =>
    said.what === 'measurement' ? [{ at: said.at, values: said.values as Record<string, number> }] : [],
  )
}

// ---------------------------------------------------------------- where it becomes interesting

/** Index of the first of the last three measurements in a row at or above 135/85 within 72 h; null when there are none. */
export function lastRaisedRun(recorded: readonly Recorded[]): number | null {
  const high = ({ values }: Recorded) => values.systolic! >= 135 || values.diastolic! >= 85
  for (let last = recorded.length - 1; last >= 2; last--) {
    const run = recorded.slice(last - 2, last + 1)
    if (run.every(high) && run[2]!.at - run[0]!.at <= 72 * HOUR) return runStart(recorded, last - 2, high)
  }
  return null
}

const runStart = (recorded: readonly Recorded[], from: number, high: (each: Recorded) => boolean): number => {
  let first = from
  while (first > 0 && high(recorded[first - 1]!)) first--
  return first
}

/** Index at which the last time above 8 Cel had lasted 15 minutes; null when there is none. */
export function excursionEnd(recorded: readonly Recorded[]): number | null {
  const warm = (index: number) => (recorded[index]?.values['temperature-probe'] ?? 0) > 8
  for (let start = recorded.length - 1; start > 0; start--) {
    if (!warm(start) || warm(start - 1)) continue
    let end = start
    while (warm(end) && recorded[end]!.at - recorded[start]!.at < 15 * MINUTE) end++
    if (warm(end)) return end
  }
  return null
}

function logFiles(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.log.json'))
    return names.sort().map((name) => readFileSync(join(folder, name), 'utf8'))
  } catch {
    return []
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
