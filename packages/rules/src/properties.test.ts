import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deliver, feed, happening, json, minute, newWorld, restarted, run, stateOf } from './testing/world.ts'
import type { Transition } from './transition.ts'

test('rules > whatever happens, any restart points give the same transitions and the same state', () => {
  fc.assert(
    fc.property(
      fc.array(happening(40 * minute), { maxLength: 120 }),
      fc.array(fc.boolean(), { minLength: 120, maxLength: 120 }),
      (happenings, restarts) => {
        const deliveries = deliver(happenings)
        const straight = run(deliveries)
        const broken = run(deliveries, (index) => restarts[index]!)
        expect(json(broken.told)).toEqual(json(straight.told))
        expect(stateOf(broken.evaluator)).toEqual(stateOf(straight.evaluator))
      },
    ),
    { numRuns: 300 },
  )
})

test('rules > a restart by itself tells nothing', () => {
  fc.assert(
    fc.property(fc.array(happening(40 * minute), { maxLength: 60 }), (happenings) => {
      const { evaluator } = run(deliver(happenings))
      const next = restarted(evaluator)
      expect(next.takeTransitions()).toEqual([])
      expect(stateOf(next)).toEqual(stateOf(evaluator))
    }),
    { numRuns: 150 },
  )
})

test('rules > of each alert: raised, told again only after it was closed, cleared once, and so on', () => {
  fc.assert(
    fc.property(fc.array(happening(40 * minute), { maxLength: 120 }), (happenings) => {
      const { told, evaluator } = run(deliver(happenings))
      const standing = new Map<string, boolean>()
      for (const each of told) {
        if (each.historic || (each.what !== 'raised' && each.what !== 'cleared')) continue
        const key = keyOf(each)
        const stands = standing.get(key) ?? false
        if (each.what === 'cleared') expect(stands, key).toBe(true)
        else expect(stands, key).toBe(each.again !== undefined)
        standing.set(key, each.what === 'raised')
      }
      for (const subject of evaluator.subjects())
        for (const { spec, tracks, silences } of evaluator.state(subject)!) {
          const key = (focus: string) => `${subject}/${spec.rule}/${focus}`
          for (const { focus, live } of tracks) expect(standing.get(key(focus)) ?? false).toBe(live.head.active)
          for (const { focus, active } of silences) expect(standing.get(key(focus)) ?? false).toBe(active)
        }
    }),
    { numRuns: 300 },
  )
})

const keyOf = ({ subject, rule, focus }: Transition) => `${subject}/${rule}/${focus}`

test('rules > every raise shows its breach: of a measurement what was measured, of an absence since when', () => {
  fc.assert(
    fc.property(fc.array(happening(40 * minute), { maxLength: 120 }), (happenings) => {
      for (const { rule, what, breach, at, again } of run(deliver(happenings)).told) {
        if (what !== 'raised') continue
        expect(breach!.since).toBeLessThanOrEqual(at)
        if (['silent', 'nobody', 'gone'].includes(rule)) expect(breach!.points).toEqual([])
        else if (again === undefined) expect(breach!.points.length, rule).toBeGreaterThan(0)
      }
    }),
    { numRuns: 150 },
  )
})

test('rules > memory of a subject is bounded however long and however wild the input', () => {
  const evaluator = newWorld()
  const drawn = fc.sample(happening(20 * minute), { numRuns: 4_000, seed: 7 })
  // Faster than any lane keeps: some ten a second.
  const fast = drawn.map((each) => ({ ...each, gapMs: each.gapMs % 150 }))
  let largest = 0
  deliver([...fast, ...drawn]).forEach((delivery, index) => {
    feed(evaluator, delivery, index + 1)
    if (index % 200 !== 0) return
    evaluator.takeTransitions()
    largest = Math.max(largest, ...stateOf(evaluator).subjects.map((state) => JSON.stringify(state).length))
  })
  expect(largest).toBeGreaterThan(10_000)
  expect(largest).toBeLessThan(4_000_000)
})

test('rules > what is due at one time is told in one order, whoever was watched first', () => {
  fc.assert(
    fc.property(fc.array(happening(0, ['reading', 'config', 'tick']), { maxLength: 60 }), (happenings) => {
      const first = run(deliver(happenings))
      first.evaluator.advance(first.evaluator.now + 30_000)
      // A restart sets all timers in another order.
      const again = restarted(run(deliver(happenings)).evaluator)
      again.advance(again.now + 30_000)
      expect(json(again.takeTransitions())).toEqual(json(first.evaluator.takeTransitions()))
    }),
    { numRuns: 150 },
  )
})
