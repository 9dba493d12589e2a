/** Runs every `programs/*.test.yaml`: scripted readings and time in, the alerts that clinical people want out. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { LoggedReading, ReadingFlag } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { compileRule } from '../compiled.ts'
import { Evaluator, type Transition } from '../evaluator.ts'
import { parseProgram } from './parse-program.ts'
import { assertOwned, type Program } from './program.ts'
import { sentenceOf } from './sentence.ts'

const Clock = z.string().regex(/^\d\d:\d\d(:\d\d)?$/)
const Step = z.union([
  z.strictObject({ tick: Clock }),
  z.strictObject({
    at: Clock,
    stored: Clock.optional(),
    device: z.string().default('probe'),
    group: z.string().optional(),
    readings: z.record(z.string(), z.number()),
    flags: z.array(z.enum(['implausible', 'clock-unset'])).optional(),
  }),
])
const Want = z.strictObject({
  at: Clock,
  raised: z.string().optional(),
  cleared: z.string().optional(),
  historic: z.boolean().default(false),
  sentence: z.string().optional(),
})
const Timelines = z.strictObject({
  program: z.string(),
  timelines: z.array(z.strictObject({ name: z.string(), steps: z.array(Step).min(1), want: z.array(Want) })).min(1),
})
type Step = z.infer<typeof Step>

const folder = fileURLToPath(new URL('../../../../programs/', import.meta.url))
const read = (file: string) => readFileSync(folder + file, 'utf8')
const at = (clock: string) => Date.parse(`2026-03-02T${clock.length === 5 ? `${clock}:00` : clock}Z`)

for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.yaml'))) {
  const { program: code, timelines } = Timelines.parse(parse(read(file)))
  const program = parseProgram(read(`${code}.yaml`), `${code}.yaml`)
  describe(`programs > ${code}`, () => {
    for (const { name, steps, want } of timelines) {
      test(name, () => {
        const transitions = play(program, steps)
        const told = transitions.map((told, index) => ({
          at: new Date(told.at).toISOString(),
          [told.what]: told.rule,
          historic: told.historic,
          ...(want[index]?.sentence === undefined ? {} : { sentence: sentence(program, told) }),
        }))
        expect(told).toEqual(want.map((line) => ({ ...line, at: new Date(at(line.at)).toISOString() })))
      })
    }

    test('every rule has an owner, an action, a time limit and a backup', () => {
      program.rules.forEach((rule, index) => {
        expect(() => assertOwned(rule, `/rules/${index}`)).not.toThrow()
      })
    })
  })
}

test('programs > every program has timelines beside it', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
  const programs = files.filter((name) => !name.endsWith('.test.yaml'))
  expect(programs.length).toBeGreaterThan(1)
  for (const name of programs) expect(files).toContain(name.replace('.yaml', '.test.yaml'))
})

function play(program: Program, steps: readonly Step[]): readonly Transition[] {
  const evaluator = new Evaluator()
  evaluator.configure(
    'subject',
    program.rules.map((rule) => ({
      rule: rule.code,
      version: 1,
      enrolment: 'enrolment',
      from: 0,
      to: null,
      compiled: compileRule(rule.body),
    })),
  )
  steps.forEach((step, index) => {
    if ('tick' in step) {
      evaluator.advance(at(step.tick))
      return
    }
    const storedAt = at(step.stored ?? step.at)
    const source = { partition: 0, position: index + 1, index: 0, device: step.device, receivedAt: storedAt, storedAt }
    evaluator.readings('subject', readingsOf(step), source)
    evaluator.advance(storedAt)
  })
  return evaluator.takeTransitions()
}

const readingsOf = (step: Extract<Step, { readings: unknown }>): LoggedReading[] =>
  Object.entries(step.readings).map(([signal, value]) => ({
    signal,
    value,
    measuredAt: at(step.at),
    ordinal: 0,
    ...(step.group === undefined ? {} : { groupId: step.group }),
    ...(step.flags === undefined ? {} : { flags: step.flags as ReadingFlag[] }),
  }))

const sentence = (program: Program, told: Transition) =>
  sentenceOf(program.rules.find((rule) => rule.code === told.rule)!, told, 'UTC')
