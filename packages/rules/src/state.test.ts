import { expect, test } from 'vitest'
import { compileRule } from './compiled.ts'
import { Evaluator } from './evaluator.ts'
import { opposite } from './rule.ts'
import { loadState, type SavedState } from './state.ts'

const when = { mode: 'any', limits: [{ signal: 'temperature-probe', is: '>', limit: 8 }] } as const
const compiled = compileRule({
  ...{ kind: 'threshold', when, match: 'measurement', validForMs: 1_800_000, per: 'device' },
  hold: { forMs: 0, inARow: 1, withinMs: null },
  clear: { when: opposite(when), forMs: 0, inARow: 1 },
})

/** As version 0.1 wrote it: no clocks, no devices, no choices of people, a smaller machine. */
function ofFormat1(at: number): SavedState {
  const source = { partition: 0, position: 3, index: 0, device: 'd', receivedAt: at, storedAt: at }
  const point = { at, group: '', values: [9], sources: [source] }
  const machine = {
    ...{ active: true, raisedAt: at, breachSince: at, breachLast: at, row: [], clearSince: null, clearRow: 0 },
    ...{ evidence: [point], evidenceLeftOut: 0, carry: [], lastAt: at },
  }
  const live = { base: { ...machine, active: false, raisedAt: null }, head: machine, points: [point], pins: [at] }
  const rule = {
    rule: 'warm',
    version: 1,
    enrolment: 'e',
    from: 0,
    to: null,
    failed: null,
    tracks: [{ focus: 'd', live, late: null }],
  }
  return JSON.parse(JSON.stringify({ format: 1, rules: [rule] }))
}

test('rules > a checkpoint of the first format is read, and what it had raised clears once', () => {
  const at = Date.parse('2026-03-02T08:00:00Z')
  const asked: unknown[] = []
  const loaded = loadState(
    ofFormat1(at),
    (...of) => {
      asked.push(of)
      return compiled
    },
    's',
  )!
  expect(asked).toEqual([['warm', 1, null, 's']])
  const evaluator = new Evaluator()
  evaluator.restore('s', loaded.rules, loaded.devices)
  evaluator.advance(at)
  // Closed now, it is told again by the choice made now.
  evaluator.handled('warm', 's', 'd', 'closed', { until: 'time', at: at + 10_000 }, at)
  evaluator.advance(at + 11_000)
  expect(evaluator.takeTransitions()).toMatchObject([{ what: 'raised', again: 'time', at: at + 10_000 }])
  const measuredAt = at + 60_000
  const source = { partition: 0, position: 4, index: 0, device: 'd', receivedAt: measuredAt, storedAt: measuredAt }
  evaluator.readings('s', [{ signal: 'temperature-probe', value: 5, measuredAt, ordinal: 0 }], source)
  evaluator.advance(measuredAt)
  expect(evaluator.takeTransitions()).toMatchObject([{ what: 'cleared', rule: 'warm', focus: 'd', at: measuredAt }])
})

test('rules > a checkpoint of a later format is refused, not guessed', () => {
  expect(loadState({ format: 99, rules: [] }, () => compiled, 's')).toBeNull()
})
