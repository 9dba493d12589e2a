/** Recordings: where their live part begins, and how they are told. The shared files are used when they lie beside the repository. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../signals/day-rhythm.ts'
import {
  bloodPressureRecording,
  excursionEnd,
  lastRaisedRun,
  type Recorded,
  readLog,
  readPressures,
  refrigeratorRecording,
} from './recordings.ts'
import { bloodPressurePace, planReplay, realPace } from './replay.ts'

const shared = fileURLToPath(new URL('../../../../../shared/material', import.meta.url))
const moment = fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2035, 0, 1) })
const nowhere = fileURLToPath(new URL('./no-such-folder', import.meta.url))

const pressures = (...systolics: number[]): Recorded[] =>
  systolics.map((systolic, n) => ({ at: n * 12 * HOUR, values: { systolic, diastolic: 70, 'pulse-rate': 60 } }))
const temperatures = (...degrees: number[]): Recorded[] =>
  degrees.map((c, n) => ({ at: n * 10 * MINUTE, values: { 'temperature-probe': c } }))

describe('demo > recordings', () => {
  it('blood pressure goes live where three in a row are high for the last time', () => {
    expect(lastRaisedRun(pressures(120, 140, 141, 142, 120, 136, 137, 138, 139, 120))).toBe(5)
    expect(lastRaisedRun(pressures(120, 140, 141, 120, 140))).toBeNull()
  })

  it('a refrigerator goes live when it has been too warm for 15 minutes', () => {
    expect(excursionEnd(temperatures(4, 5, 9, 12, 14, 15))).toBe(4)
    expect(excursionEnd(temperatures(4, 5, 9, 5, 4))).toBeNull()
  })

  it('without the shared files the invented ones serve, whenever the demo starts', () => {
    fc.assert(
      fc.property(moment, (now) => {
        const pressure = bloodPressureRecording(nowhere, now).recorded
        expect(lastRaisedRun(pressure)).not.toBeNull()
        const cut = excursionEnd(refrigeratorRecording(nowhere, now).recorded)
        expect(cut).not.toBeNull()
      }),
      { numRuns: 25 },
    )
  })

  it('reads quoted columns by their names, oldest first; a freezer is no vaccine refrigerator', () => {
    const csv =
      '"DateTime","Sys.mmHg.","Dias.mmHg.","Pulse.bpm."\n"2020-01-02T08:00:00",130,80,60\n"2020-01-01T08:00:00",120,70,61\n'
    expect(readPressures(csv).map(({ values }) => values.systolic)).toEqual([120, 130])
    expect(() => readPressures('"DateTime"\n')).toThrow('Sys.mmHg.')
    const log = (...degrees: number[]) => JSON.stringify(degrees.map((c, n) => ({ t: `2020-01-01 0${n}:00`, c })))
    expect(readLog(log(-15, 9, 10, 11))).toBeNull()
    expect(readLog(log(5, 9, 10, 11))).toHaveLength(4)
  })

  it('tells the past with its real spacing, and the rest one after the other', () => {
    const plan = planReplay(temperatures(4, 5, 9, 12, 14), 2, 1_000_000_000, 6 * SECOND, realPace)
    const start = 1_000_000_000 + 6 * SECOND
    expect(plan.history.map((said) => ('at' in said ? said.at - start : null))).toEqual([-20 * MINUTE, -10 * MINUTE])
    expect(plan.live.map(({ afterMs }) => afterMs)).toEqual([
      6 * SECOND,
      6 * SECOND + 10 * MINUTE,
      6 * SECOND + 20 * MINUTE,
    ])
  })

  it('the first three of a run come within half a minute', () => {
    const gaps = [0, 20 * HOUR, 13 * HOUR]
    const waits = gaps.map((gap, index) => (index === 0 ? 6 * SECOND : bloodPressurePace(gap, index)))
    expect(waits.reduce((sum, wait) => sum + wait)).toBeLessThan(30 * SECOND)
  })
})

describe.runIf(existsSync(shared))('demo > recordings that lie beside the repository', () => {
  it('are real ones with something to see', () => {
    const pressure = bloodPressureRecording(shared, 0)
    const fridge = refrigeratorRecording(shared, 0)
    expect(pressure.source).toContain('real')
    expect(fridge.source).toContain('real')
    expect(pressure.recorded.length).toBeGreaterThan(100)
    expect(lastRaisedRun(pressure.recorded)).not.toBeNull()
  })
})

if (!existsSync(shared))
  console.log('demo > recordings: no ../shared/material beside the repository; the invented signals are tested only')
