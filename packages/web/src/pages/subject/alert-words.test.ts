import { expect, it } from 'vitest'
import { endOf, stoodWords } from './alert-words.ts'

const at = (iso: string) => new Date(iso).getTime()
const now = at('2026-11-22T20:26:00')

it('tells of an alert that came back since when it stands now, and never for how long since the first time', () => {
  const spans = [
    { from: at('2026-10-18T09:10:00'), to: at('2026-10-18T09:40:00') },
    { from: at('2026-11-20T10:00:00'), to: at('2026-11-20T10:05:00') },
    { from: at('2026-11-22T20:22:00'), to: null },
  ]
  expect(stoodWords({ spans }, now)).toBe('since 20:22, for 4 min, first 18 Oct 09:10, came back 2 times')
})

it('tells of what is over how long it lasted, of a moment only when it was', () => {
  const from = at('2026-11-22T09:10:00')
  expect(stoodWords({ spans: [{ from, to: from + 12 * 60_000 }] }, now)).toBe('09:10, lasted 12 min')
  expect(stoodWords({ spans: [{ from, to: from }] }, now)).toBe('09:10')
  expect(endOf({ spans: [{ from, to: from + 12 * 60_000 }] })).toBe(from + 12 * 60_000)
})
