import type { AssignmentEdit, AssignmentSpan } from '@careloop/contract'
import { Failure } from '@careloop/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { begin, correct, end, firstDifference, spanAt } from './history.ts'

const span = (id: string, subject: string, from: number, to: number | null): AssignmentSpan => ({
  id,
  subject,
  from,
  to,
})
const history = [span('a', 'P', 10, 20), span('b', 'Q', 20, 30), span('c', 'P', 40, null)]
const refused = (code: string, pointer: string) => expect.objectContaining({ code, pointer })
const caught = (fn: () => unknown): unknown => {
  try {
    return fn()
  } catch (error) {
    return error
  }
}
const newId = () => 'new'

test('history > a span holds from its first instant to the one before its end', () => {
  const at = (instant: number) => spanAt(history, instant)?.id
  expect([9, 10, 19, 20, 29, 30, 39, 40, 1e15].map(at)).toEqual([
    undefined,
    'a',
    'a',
    'b',
    'b',
    undefined,
    undefined,
    'c',
    'c',
  ])
})

/** Alternating gaps and lengths make any history; the last may be open. */
const anyHistory = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 5 }), fc.constantFrom('P', 'Q', 'R')), { maxLength: 9 }),
    fc.boolean(),
  )
  .map(([parts, isOpen]) => {
    let clock = 100
    const spans = parts.map(([gap, length, subject], at) => {
      const from = clock + gap
      clock = from + length
      return span(`s${at}`, subject, from, clock)
    })
    const last = spans.at(-1)
    return last && isOpen ? [...spans.slice(0, -1), { ...last, to: null }] : spans
  })

const naive = (spans: readonly AssignmentSpan[], at: number): AssignmentSpan | null =>
  spans.find((each) => at >= each.from && (each.to === null || at < each.to)) ?? null

test('history > who wears it is what a look at every span would say', () => {
  fc.assert(
    fc.property(anyHistory, (spans) => {
      for (let at = 95; at < 190; at++) expect(spanAt(spans, at)).toEqual(naive(spans, at))
    }),
  )
})

test('history > since is the earliest instant at which two histories differ', () => {
  fc.assert(
    fc.property(anyHistory, anyHistory, (a, b) => {
      let first: number | null = null
      for (let at = 95; at < 190 && first === null; at++) {
        const [one, other] = [naive(a, at), naive(b, at)]
        if (one?.id !== other?.id || one?.subject !== other?.subject) first = at
      }
      expect(firstDifference(a, b)).toBe(first)
    }),
  )
})

const anyEdit: fc.Arbitrary<AssignmentEdit> = fc.oneof(
  fc.record({
    edit: fc.constant('change' as const),
    assignment: fc.constantFrom('s0', 's1', 's2', 's9'),
    subject: fc.constantFrom('P', 'Q'),
    from: fc.integer({ min: 95, max: 160 }),
    to: fc.option(fc.integer({ min: 95, max: 160 })),
  }),
  fc.record({ edit: fc.constant('remove' as const), assignment: fc.constantFrom('s0', 's1', 's2') }),
  fc.record({
    edit: fc.constant('add' as const),
    subject: fc.constantFrom('P', 'Q'),
    from: fc.integer({ min: 95, max: 160 }),
    to: fc.option(fc.integer({ min: 95, max: 160 })),
  }),
)

test('history > a correction is refused with a pointer, or leaves one wearer at a time and nothing in the future', () => {
  const now = 150
  const outcomes = new Set<string>()
  fc.assert(
    fc.property(anyHistory, fc.array(anyEdit, { minLength: 1, maxLength: 4 }), (spans, edits) => {
      let ids = 0
      const result = caught(() => correct(spans, edits, now, () => `n${ids++}`))
      if (result instanceof Failure) {
        outcomes.add(result.code)
        expect(result.pointer).toMatch(/^\/body\/edits/)
        return
      }
      outcomes.add('corrected')
      const { after, superseded, added, since } = result as ReturnType<typeof correct>
      for (let at = 1; at < after.length; at++) expect(after[at - 1]!.to).toBeLessThanOrEqual(after[at]!.from)
      for (const each of added) expect(Math.max(each.from, each.to ?? 0)).toBeLessThanOrEqual(now)
      for (const each of added) expect(each.to ?? Number.POSITIVE_INFINITY).toBeGreaterThan(each.from)
      expect(new Set(after.map((each) => each.id)).size).toBe(after.length)
      expect([...after, ...superseded]).toEqual(expect.arrayContaining([...spans]))
      for (let at = 95; at < since; at++) expect(naive(after, at)?.id).toBe(naive(spans, at)?.id)
    }),
    { numRuns: 1000 },
  )
  expect(outcomes).toContain('corrected')
  expect(outcomes).toContain('assignment-overlaps')
})

test('history > a device begins to be worn where nobody wears it', () => {
  expect(begin([], span('n', 'P', 5, null), 10)).toEqual({
    superseded: [],
    added: [span('n', 'P', 5, null)],
    after: [span('n', 'P', 5, null)],
    since: 5,
  })
  expect(caught(() => begin([], span('n', 'P', 11, null), 10))).toEqual(refused('assignment-in-future', '/body/from'))
  expect(caught(() => begin(history, span('n', 'P', 90, null), 99))).toEqual(refused('device-worn', '/body/subject'))
  const closed = history.slice(0, 2)
  expect(caught(() => begin(closed, span('n', 'P', 29, null), 99))).toEqual(
    refused('assignment-overlaps', '/body/from'),
  )
  expect(begin(closed, span('n', 'P', 30, null), 99).since).toBe(30)
})

test('history > a device is taken off once, not before it was put on and not in the future', () => {
  expect(end(history, 50, 60)).toEqual({
    superseded: [history[2]],
    added: [span('c', 'P', 40, 50)],
    after: [...history.slice(0, 2), span('c', 'P', 40, 50)],
    since: 50,
  })
  expect(caught(() => end(history, 40, 60))).toEqual(refused('assignment-span-wrong', '/body/to'))
  expect(caught(() => end(history, 61, 60))).toEqual(refused('assignment-in-future', '/body/to'))
  expect(caught(() => end(history.slice(0, 2), 50, 60))).toEqual(refused('device-not-worn', ''))
})

test('history > another subject makes another assignment, another time does not', () => {
  const swapped = correct(history, [{ edit: 'change', assignment: 'b', subject: 'R' }], 99, newId)
  expect(swapped).toMatchObject({ superseded: [history[1]], added: [span('new', 'R', 20, 30)], since: 20 })
  const longer = correct(history, [{ edit: 'change', assignment: 'b', to: 35 }], 99, newId)
  expect(longer).toMatchObject({ added: [span('b', 'Q', 20, 35)], since: 30 })
  const ended = correct(history, [{ edit: 'change', assignment: 'c', to: 60 }], 99, newId)
  expect(ended).toMatchObject({ added: [span('c', 'P', 40, 60)], since: 60 })
  const split = correct(
    history,
    [
      { edit: 'change', assignment: 'a', to: 15 },
      { edit: 'add', subject: 'Q', from: 15, to: 20 },
    ],
    99,
    newId,
  )
  expect(split.after.map((each) => [each.id, each.from])).toEqual([
    ['a', 10],
    ['new', 15],
    ['b', 20],
    ['c', 40],
  ])
})

test('history > a correction that cannot be is refused with a pointer to the edit', () => {
  const edits = (...list: AssignmentEdit[]) => caught(() => correct(history, list, 99, newId))
  const first = '/body/edits/0'
  expect(edits({ edit: 'remove', assignment: 'z' })).toEqual(refused('assignment-not-found', `${first}/assignment`))
  expect(edits({ edit: 'change', assignment: 'a', to: 10 })).toEqual(refused('assignment-span-wrong', `${first}/to`))
  expect(edits({ edit: 'change', assignment: 'a', to: 21 })).toEqual(refused('assignment-overlaps', first))
  expect(edits({ edit: 'change', assignment: 'a', to: null })).toEqual(refused('assignment-overlaps', first))
  expect(edits({ edit: 'add', subject: 'P', from: 31, to: 100 })).toEqual(
    refused('assignment-in-future', `${first}/to`),
  )
  expect(edits({ edit: 'add', subject: 'P', from: 100, to: null })).toEqual(
    refused('assignment-in-future', `${first}/from`),
  )
  expect(edits({ edit: 'change', assignment: 'a', subject: 'P' })).toEqual(refused('correction-empty', '/body/edits'))
  expect(edits({ edit: 'remove', assignment: 'a' }, { edit: 'change', assignment: 'a', to: 12 })).toEqual(
    refused('assignment-edited-twice', '/body/edits/1/assignment'),
  )
})
