import { Failure } from '@careloop/contract'
import { expect, test } from 'vitest'
import { applyOverride, type LimitChange } from './override.ts'
import { opposite, type RuleBody, type ThresholdRule } from './rule.ts'

const warm = { mode: 'any', limits: [{ signal: 'temperature-probe', is: '>', limit: 8 }] } as const
const threshold: ThresholdRule = {
  ...{ kind: 'threshold', when: warm, match: 'measurement', validForMs: 0, per: 'device' },
  hold: { forMs: 0, inARow: 1, withinMs: null },
  clear: { when: opposite(warm), forMs: 0, inARow: 1 },
}
const hysteresis: ThresholdRule = {
  ...threshold,
  clear: { ...threshold.clear, when: { mode: 'all', limits: [{ signal: 'temperature-probe', is: '<=', limit: 7.5 }] } },
}
const silent: RuleBody = { kind: 'absence', of: ['temperature-probe'], afterMs: 3_600_000, per: 'device' }
const rate: RuleBody = {
  ...{ kind: 'rate', signal: 'temperature-ambient', change: 'rise', by: 5, withinMs: 600_000, per: 'device' },
  clear: { when: null, forMs: 0, inARow: 1 },
}
const count: RuleBody = {
  ...{ kind: 'count', when: warm, match: 'measurement', atLeast: 3, withinMs: 600_000, validForMs: 0, per: 'device' },
  clear: threshold.clear,
}
const to = (part: LimitChange['part'], limit: number, index = 0): LimitChange => ({ part, index, limit })
const limits = (body: RuleBody) =>
  body.kind === 'threshold' ? [body.when.limits[0]!.limit, body.clear.when.limits[0]!.limit] : []

test.each([
  ['no clear limit of its own moves along', threshold, [to('when', 10)], [10, 10]],
  ['a clear limit of its own stays while it lies on the safe side', hysteresis, [to('when', 10)], [10, 7.5]],
  ['one that would overlap moves by the same amount', hysteresis, [to('when', 7)], [7, 6.5]],
  ['both as they are set', hysteresis, [to('when', 7), to('clear', 6)], [7, 6]],
])('overrides > %s', (_, body, changes, wanted) => {
  expect(limits(applyOverride(body, changes))).toEqual(wanted)
  expect(limits(body)[0]).toBe(8)
})

test('overrides > a span, a change and a count have limits of their own', () => {
  expect(applyOverride(silent, [to('after', 7_200_000)])).toMatchObject({ afterMs: 7_200_000 })
  expect(applyOverride(rate, [to('by', 3)])).toMatchObject({ by: 3 })
  expect(applyOverride(count, [to('count', 5), to('when', 9)])).toMatchObject({
    atLeast: 5,
    when: { limits: [{ limit: 9 }] },
  })
  for (const body of [silent, rate, count, threshold]) expect(applyOverride(body, [])).toEqual(body)
})

test.each([
  ['an overlap', hysteresis, [to('when', 7), to('clear', 7.2)], '/changes/1/limit'],
  ['a limit that the rule does not have', threshold, [to('when', 7, 3)], '/changes/0/index'],
  ['a limit that cannot be', threshold, [to('when', 400)], '/changes/0/limit'],
  ['no number', threshold, [to('when', Number.NaN)], '/changes/0/limit'],
  ['a part of another kind', threshold, [to('after', 60_000)], '/changes/0/part'],
  ['a part of another kind, of an absence', silent, [to('when', 5)], '/changes/0/part'],
  ['a silence of seconds', silent, [to('after', 5_000)], '/changes/0/limit'],
  ['a change of nothing', rate, [to('by', 0)], '/changes/0/limit'],
  ['half a count', count, [to('count', 2.5)], '/changes/0/limit'],
  ['one limit twice', threshold, [to('when', 9), to('when', 10)], '/changes/1'],
])('overrides > %s is refused with a pointer', (_, body, changes, pointer) => {
  let failure: unknown
  try {
    applyOverride(body, changes)
  } catch (error) {
    failure = error
  }
  expect(failure).toBeInstanceOf(Failure)
  expect(failure).toMatchObject({ code: 'override-invalid', pointer })
})
