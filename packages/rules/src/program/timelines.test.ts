/** Runs every `programs/*.test.yaml`: what happens in, the alerts that clinical people want out. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Transition } from '../transition.ts'
import { parseProgram } from './parse-program.ts'
import { assertOwned, type Program } from './program.ts'
import { sentenceOf, shownValue } from './sentence.ts'
import { play, Timeline, timeOf, type Want } from './testing/timeline.ts'

const Timelines = z.strictObject({ program: z.string(), timelines: z.array(Timeline).min(1) })

const folder = fileURLToPath(new URL('../../../../programs/', import.meta.url))
const read = (file: string) => readFileSync(folder + file, 'utf8')

for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.yaml'))) {
  const { program: code, timelines } = Timelines.parse(parse(read(file)))
  const program = parseProgram(read(`${code}.yaml`), `${code}.yaml`)
  describe(`programs > ${code}`, () => {
    for (const timeline of timelines) {
      test(timeline.name, () => {
        const transitions = play(program, timeline)
        const told = transitions.map((each, index) => line(program, each, timeline.want[index]))
        expect(told).toEqual(timeline.want.map((want) => ({ ...want, at: new Date(timeOf(want.at)).toISOString() })))
        // Whatever is raised can be said, with nothing left open.
        for (const each of transitions.filter(({ what }) => what === 'raised')) {
          const rule = program.rules.find((known) => known.code === each.rule)!
          expect(sentenceOf(rule, each, 'UTC') + shownValue(rule, each)).not.toMatch(/[{}]|NaN|undefined|Infinity/)
        }
      })
    }

    test('every rule has an owner, an action, a time limit and a backup', () => {
      program.rules.forEach((rule, index) => {
        expect(() => assertOwned(rule, `/rules/${index}`)).not.toThrow()
      })
    })

    test('every rule raises in a timeline', () => {
      const raised = timelines.flatMap(({ want }) => want.flatMap((each) => each.raised ?? []))
      for (const rule of program.rules) expect(raised).toContain(rule.code)
    })
  })
}

test('programs > every program has timelines beside it', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
  const programs = files.filter((name) => !name.endsWith('.test.yaml'))
  expect(programs.length).toBeGreaterThan(1)
  for (const name of programs) expect(files).toContain(name.replace('.yaml', '.test.yaml'))
})

/** A transition as a timeline says it: what the wanted line leaves out is not compared. */
function line(program: Program, told: Transition, want: z.infer<typeof Want> | undefined) {
  const rule = program.rules.find((each) => each.code === told.rule)!
  return {
    at: new Date(told.at).toISOString(),
    [told.what]: told.rule,
    historic: told.historic,
    ...(told.again === undefined ? {} : { again: told.again }),
    ...(told.why === undefined ? {} : { why: told.why }),
    ...(want?.focus === undefined ? {} : { focus: told.focus }),
    ...(want?.sentence === undefined ? {} : { sentence: told.what === 'raised' ? sentenceOf(rule, told, 'UTC') : '' }),
  }
}
