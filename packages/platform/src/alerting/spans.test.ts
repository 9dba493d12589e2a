import { expect, test } from 'vitest'
import { spansFrom } from './spans.ts'

const stands = { raisedAt: 10, clearedAt: null }
const over = (clearedAt: number) => ({ raisedAt: 10, clearedAt })

test('alerting > an alert that came back did not stand in between', () => {
  const events = [
    { what: 'raised', at: 10 },
    { what: 'acknowledged', at: 12 },
    { what: 'cleared', at: 20 },
    { what: 'recurred', at: 90 },
  ] as const
  expect(spansFrom(events, stands)).toEqual([
    { from: 10, to: 20 },
    { from: 90, to: null },
  ])
})

test('alerting > of what was found late, the end of which nobody knows, a moment is told and not all the time until now', () => {
  const cameBack = [
    { what: 'raised', at: 10 },
    { what: 'recurred', at: 90 },
  ] as const
  expect(spansFrom(cameBack, stands)).toEqual([
    { from: 10, to: 10 },
    { from: 90, to: null },
  ])
  expect(spansFrom([{ what: 'raised', at: 10 }], over(10))).toEqual([{ from: 10, to: 10 }])
})

test('alerting > a breach found late beside one that stands ends by itself, and the one that stands goes on', () => {
  const events = [
    { what: 'raised', at: 50 },
    { what: 'found-late', at: 10 },
    { what: 'cleared', at: 20 },
  ] as const
  expect(spansFrom(events, { raisedAt: 50, clearedAt: null })).toEqual([
    { from: 10, to: 20 },
    { from: 50, to: null },
  ])
})

test('alerting > one that was closed and ended with its successor ends when its row says', () => {
  expect(spansFrom([{ what: 'raised', at: 10 }], over(40))).toEqual([{ from: 10, to: 40 }])
})
