/** Fast streams: what waits at a gate, what is thinned out and what is put in order late must tell what a slow look would tell. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CompiledRule, compileRule } from './compiled.ts'
import { Evaluator } from './evaluator.ts'
import { opposite, type RuleBody } from './rule.ts'
import { saveState } from './state.ts'
import type { Transition } from './transition.ts'

const minute = 60_000
const start = Date.parse('2026-03-02T08:00:00Z')
const when = { mode: 'any', limits: [{ signal: 'temperature-probe', is: '>', limit: 8 }] } as const
const clear = { when: opposite(when), forMs: 0, inARow: 1 }
const below = (limit: number) => ({ mode: 'all', limits: [{ signal: 'temperature-probe', is: '<=', limit }] }) as const
const bodies = {
  plain: {
    ...{ kind: 'threshold', when, match: 'measurement', validForMs: minute, per: 'subject', clear },
    hold: { forMs: 0, inARow: 1, withinMs: null },
  },
  held: {
    ...{ kind: 'threshold', when, match: 'measurement', validForMs: minute, per: 'device' },
    ...{ hold: { forMs: 30_000, inARow: 1, withinMs: null }, clear: { when: below(7.5), forMs: 20_000, inARow: 2 } },
  },
  repeated: {
    ...{ kind: 'threshold', when, match: 'measurement', validForMs: minute, per: 'subject', clear },
    ...{ hold: { forMs: 0, inARow: 1, withinMs: null }, confirm: { fromMs: 10_000, toMs: 2 * minute } },
  },
  counted: {
    ...{
      kind: 'count',
      when,
      match: 'measurement',
      atLeast: 3,
      withinMs: 3 * minute,
      validForMs: 0,
      per: 'subject',
      clear,
    },
  },
  rising: {
    ...{ kind: 'rate', signal: 'temperature-probe', change: 'rise', by: 3, withinMs: 4 * minute, per: 'device' },
    clear: { when: null, forMs: 0, inARow: 1 },
  },
  silent: { kind: 'absence', of: ['temperature-probe'], afterMs: 5 * minute, per: 'device' },
} as const satisfies Record<string, RuleBody>

const specOf = (rule: string, compiled: CompiledRule) => ({
  ...{ rule, version: 1, enrolment: 'e', from: 0, to: null, compiled },
})

interface Heard {
  readonly value: number
  readonly gapMs: number
  readonly lateMs: number
  readonly device: number
}

/** Mostly one a second and well; now and then a breach, a pause, a late one, another device. */
const heard: fc.Arbitrary<Heard> = fc.record({
  value: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(4, 4.5, 5, 6) },
    { weight: 1, arbitrary: fc.constantFrom(7.8, 8, 8.5, 9) },
  ),
  gapMs: fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 500, max: 4_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * minute }) },
  ),
  lateMs: fc.oneof(
    { weight: 12, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 * minute }) },
  ),
  device: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
})

function run(
  stream: readonly Heard[],
  after: (evaluator: Evaluator) => void,
  rules: readonly (keyof typeof bodies)[] = names,
) {
  const evaluator = new Evaluator()
  evaluator.advance(start)
  evaluator.configure(
    's',
    rules.map((code) => specOf(code, compileRule(bodies[code]))),
  )
  const told: Transition[] = []
  let at = start
  stream.forEach(({ value, gapMs, lateMs, device }, index) => {
    for (let tick = at + 30_000; tick < at + gapMs; tick += 30_000) evaluator.advance(tick)
    at += gapMs
    const source = { partition: 0, position: index + 1, index: 0, device: `d${device}`, receivedAt: at, storedAt: at }
    evaluator.readings('s', [{ signal: 'temperature-probe', value, measuredAt: at - lateMs, ordinal: 0 }], source)
    evaluator.advance(at)
    told.push(...evaluator.takeTransitions())
    after(evaluator)
  })
  return { told: json(told), state: json(saveState(evaluator.state('s')!)), evaluator }
}
const names = Object.keys(bodies) as (keyof typeof bodies)[]
const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

test('rules > what waits at a gate changes nothing of what is told and kept', () => {
  fc.assert(
    fc.property(fc.array(heard, { minLength: 20, maxLength: 250 }), (stream) => {
      const waiting = run(stream, () => {})
      // Looking at the state folds what waits.
      const atOnce = run(stream, (evaluator) => evaluator.state('s'))
      expect(waiting.told).toEqual(atOnce.told)
      expect(waiting.state).toEqual(atOnce.state)
    }),
    { numRuns: 200 },
  )
})

test('rules > a count is raised by the last of as many breaches as lie within its span, in order', () => {
  fc.assert(
    fc.property(fc.array(heard, { maxLength: 120 }), (drawn) => {
      const stream = drawn.map((each) => ({ ...each, lateMs: 0, gapMs: each.gapMs + 1 }))
      const { told } = run(stream, () => {}, ['counted'])
      const wanted: [string, number][] = []
      let at = start
      let breaches: number[] = []
      let isRaised = false
      for (const { value, gapMs } of stream) {
        at += gapMs
        if (value <= 8 && isRaised) {
          isRaised = false
          breaches = []
          wanted.push(['cleared', at])
        }
        if (value <= 8 || isRaised) continue
        breaches = [...breaches.filter((each) => at - each <= 3 * minute), at]
        if (breaches.length < 3) continue
        isRaised = true
        wanted.push(['raised', at])
      }
      expect(told.map(({ what, at: of }) => [what, of])).toEqual(wanted)
    }),
    { numRuns: 200 },
  )
})

test('rules > a rise is raised when the newest value lies that much above the lowest of the window', () => {
  fc.assert(
    fc.property(fc.array(heard, { maxLength: 150 }), (drawn) => {
      // Slower than a 64th of the window: compared exactly.
      const stream = drawn.map((each) => ({ ...each, lateMs: 0, device: 0, gapMs: 4_000 + each.gapMs }))
      const { told } = run(stream, () => {}, ['rising'])
      const wanted: [string, number, number][] = []
      const measured: { at: number; value: number }[] = []
      let at = start
      let isRaised = false
      for (const { value, gapMs } of stream) {
        at += gapMs
        const lowest = Math.min(...measured.filter((each) => at - each.at <= 4 * minute).map((each) => each.value))
        measured.push({ at, value })
        const isRise = value - lowest >= 3
        if (isRise !== isRaised) wanted.push([isRise ? 'raised' : 'cleared', at, isRise ? lowest : 0])
        isRaised = isRise
      }
      const spoken = told.map(({ what, at: of, breach }) => [what, of, Number(breach?.points[0]?.values[0] ?? 0)])
      expect(spoken).toEqual(wanted)
    }),
    { numRuns: 200 },
  )
})

test('rules > at ten a second a change still keeps a bounded window', () => {
  const stream = Array.from({ length: 12_000 }, (_, n) => ({
    value: 4 + Math.sin(n / 300) + (n % 7) / 10,
    gapMs: 100,
    lateMs: 0,
    device: 0,
  }))
  const { state } = run(stream, () => {}, ['rising'])
  const { live } = state.rules[0]!.tracks[0]!
  expect(live.head.window.length).toBeLessThanOrEqual(66)
  expect(live.points.length).toBeLessThanOrEqual(3 * 64 * 4 + 3)
})
