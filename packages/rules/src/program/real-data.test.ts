/**
 * The programs on real data: home blood pressures of one person, two months, and a refrigerator logger's report. They lie beside
 * the checkout and are never copied in.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { compileRule } from '../compiled.ts'
import { Evaluator } from '../evaluator.ts'
import type { Transition } from '../transition.ts'
import { parseProgram } from './parse-program.ts'

const material = fileURLToPath(new URL('../../../../../shared/material/', import.meta.url))
const isThere = existsSync(material)
if (!isThere)
  console.info('The shared test material is not beside this checkout: programs run on their timelines only.')

interface Measurement {
  readonly at: number
  readonly values: Readonly<Record<string, number>>
}

function replay(code: string, measurements: readonly Measurement[]): readonly Transition[] {
  const file = `${code}.yaml`
  const program = parseProgram(readFileSync(new URL(`../../../../programs/${file}`, import.meta.url), 'utf8'), file)
  const evaluator = new Evaluator()
  const specs = program.rules.map((rule) => {
    const compiled = compileRule(rule.body)
    return { rule: rule.code, version: 1, enrolment: 'e', from: 0, to: null, compiled }
  })
  evaluator.configure('s', specs)
  measurements.forEach(({ at, values }, index) => {
    const readings = Object.entries(values).map(([signal, value]) => ({ signal, value, measuredAt: at, ordinal: 0 }))
    const source = { partition: 0, position: index + 1, index: 0, device: 'd', receivedAt: at, storedAt: at }
    evaluator.readings('s', readings, source)
    evaluator.advance(at)
  })
  return evaluator.takeTransitions()
}

function bloodPressures(): Measurement[] {
  const [, ...lines] = readFileSync(`${material}datasets/blood-pressure/bp_jhs.csv`, 'utf8').trim().split('\n')
  const rows = lines.map((line) => {
    const fields = line.replaceAll('"', '').split(',')
    return { at: Date.parse(`${fields[0]}Z`), values: { systolic: Number(fields[7]), diastolic: Number(fields[8]) } }
  })
  return rows.sort((a, b) => a.at - b.at)
}

/** Elevation told another way: a run of high measurements ends when two good ones in a row come. */
function elevationsByHand(measurements: readonly Measurement[]): number[] {
  const raised: number[] = []
  let high: number[] = []
  let good = 0
  let isRaised = false
  for (const { at, values } of measurements) {
    const isHigh = values.systolic! >= 135 || values.diastolic! >= 85
    high = isHigh ? [...high, at] : []
    good = isHigh ? 0 : good + 1
    if (isRaised && good === 2) isRaised = false
    if (isRaised || high.length < 3 || at - high.at(-3)! > 72 * 3_600_000) continue
    isRaised = true
    raised.push(at)
  }
  return raised
}

test.runIf(isThere)(
  'programs > two months of real home blood pressures raise what a look at them by hand finds',
  () => {
    const measurements = bloodPressures()
    expect(measurements).toHaveLength(103)
    const told = replay('hypertension-rpm', measurements).filter((each) => each.what === 'raised')
    expect(new Set(told.map((each) => each.rule))).toEqual(new Set(['sustained-elevation']))
    expect(told.map((each) => each.at)).toEqual(elevationsByHand(measurements))
    expect(told.length).toBeGreaterThanOrEqual(3)
  },
)

test.runIf(isThere)(
  'programs > a real refrigerator logger that warmed up to 24 degrees raises, and never freezing',
  () => {
    const log = JSON.parse(readFileSync(`${material}cold-chain/RCPJ00010_02_202211090128.log.json`, 'utf8')) as {
      t: string
      c: number
    }[]
    const measurements = log.map(({ t, c }) => ({
      at: Date.parse(`${t.replace(' ', 'T')}:00Z`),
      values: { 'temperature-probe': c },
    }))
    const told = replay('vaccine-fridge', measurements)
    const raised = told.filter((each) => each.what === 'raised')
    expect(raised.map((each) => each.rule)).toContain('too-warm')
    expect(told.map((each) => each.rule)).not.toContain('freezing')
    for (const each of raised.filter(({ rule }) => rule === 'too-warm')) {
      const breach = measurements.filter(({ at }) => at >= each.breach!.since && at <= each.at)
      expect(each.at - each.breach!.since).toBe(15 * 60_000)
      expect(Math.min(...breach.map(({ values }) => values['temperature-probe']!))).toBeGreaterThan(8)
    }
  },
)
