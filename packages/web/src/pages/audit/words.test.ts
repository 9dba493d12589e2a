import { describe, expect, test } from 'vitest'
import { actorWords, purposeWords, unusualWords } from './words.ts'

describe('audit > words', () => {
  test.each([
    ['staff:1', 'Ana Moser', 'Ana Moser'],
    ['staff:01a20550-bfc1-7328-930e-79026cc4c7ac', null, 'A former account 6cc4c7ac'],
    ['cli', null, 'The server’s console'],
    ['service:abc', null, 'A program abc'],
  ])('an actor %s, %s: %s', (actor, name, words) => expect(actorWords({ actor, name })).toBe(words))

  test('a purpose without words is shown as its code', () => {
    expect([purposeWords('ETREAT'), purposeWords('NEW')]).toEqual(['emergency access', 'NEW'])
  })

  test('unusual access is told with its numbers', () => {
    const by = { actor: 'staff:1', name: 'Ana', roles: [] }
    const found = {
      id: '',
      kind: 'volume',
      day: '2026-11-21',
      by,
      subject: null,
      count: 120,
      usual: 20.5,
      foundAt: 0,
    } as const
    expect(unusualWords({ ...found, by: { ...by, roles: [] } })).toBe('saw 120 records in a day; usual is 21')
  })
})
