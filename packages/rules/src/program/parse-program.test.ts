import { Failure } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { parseProgram } from './parse-program.ts'
import { assertOwned } from './program.ts'
import { conditionInWords } from './sentence.ts'

const ruleText = `
  - rule: hot
    title: Hot
    priority: medium
    nature: environmental
    why: because
    when: temperature-probe > 46.4 [degF]
    hold: { for: 15 min }
    reading_valid_for: 30 min
    owner: facilities
    backup: pharmacist
    limit: 30 min
    action: Close the door.
    value: '{temperature-probe}'
    unit: °C
    sentence: At {temperature-probe} since {since}
`
const text = (rule: string) => `program: p
title: P
subject: location
use: u
notice: n
rules:${rule}`

function refusal(source: string): Failure {
  try {
    parseProgram(source, 'p.yaml')
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('was not refused')
}

test('programs > a limit may come in any unit of its signal and is kept in the canonical one', () => {
  const [rule] = parseProgram(text(ruleText), 'p.yaml').rules
  const raise = { mode: 'any', limits: [{ signal: 'temperature-probe', is: '>', limit: 8 }] }
  const clear = { when: { mode: 'all', limits: [{ signal: 'temperature-probe', is: '<=', limit: 8 }] } }
  expect(rule!.body).toMatchObject({ kind: 'threshold', when: raise, clear })
  expect(conditionInWords(rule!.body)).toBe('Probe temperature above 8.0 °C, for 15 min')
})

describe('programs > every error points to its field and says what to write', () => {
  const cases: [name: string, from: string, to: string, pointer: string, words: RegExp][] = [
    ['an unknown field', 'why: because', 'why: because\n    onwer: nurse', '/rules/0', /onwer/],
    ['an unknown signal', 'temperature-probe > 46.4', 'temprature > 46.4', '/rules/0/when', /not a signal/],
    [
      'a unit of another quantity',
      '[degF]',
      'mm[Hg]',
      '/rules/0/when',
      /not a unit of temperature-probe. Use one of Cel/,
    ],
    ['a limit without unit', '46.4 [degF]', '8', '/rules/0/when', /systolic >= 180 mm\[Hg\]/],
    ['a duration without unit', 'for: 15 min', "for: '15'", '/rules/0/hold/for', /15 min/],
    ['a hold without validity', '    reading_valid_for: 30 min\n', '', '/rules/0/reading_valid_for', /30 min/],
    ['an unknown role', 'owner: facilities', 'owner: janitor', '/rules/0/owner', /Invalid option/],
    ['an unknown placeholder', 'since {since}', 'since {when}', '/rules/0/sentence', /\{when\} means nothing/],
    [
      'a value that raises and clears',
      'owner: facilities',
      'owner: facilities\n    clear: { when: temperature-probe < 9 Cel }',
      '/rules/0/clear/when',
      /safe side of 8/,
    ],
    [
      'a span without measurements in a row',
      '{ for: 15 min }',
      '{ for: 15 min, within: 1 h }',
      '/rules/0/hold/within',
      /in_a_row/,
    ],
    ['a second rule of one code', ruleText, ruleText + ruleText.slice(1), '/rules/1/rule', /Two rules are called hot/],
  ]
  for (const [name, from, to, pointer, words] of cases) {
    test(name, () => {
      expect(text(ruleText)).toContain(from)
      const failure = refusal(text(ruleText.replace(from, to)))
      expect([failure.code, failure.pointer]).toEqual(['program-invalid', pointer])
      expect(failure.message).toMatch(/^p\.yaml:\d+:\d+ /)
      expect(failure.message).toMatch(words)
    })
  }

  test('a text that is no YAML', () => {
    expect(refusal('program: [').message).toMatch(/^p\.yaml:\d+:\d+ is not YAML/)
  })
})

describe('programs > a rule that nobody answers for may be drafted and not activated', () => {
  const parts: [line: string, pointer: string][] = [
    ['    owner: facilities\n', '/rules/0/owner'],
    ['    backup: pharmacist\n', '/rules/0/backup'],
    ['    limit: 30 min\n', '/rules/0/limit'],
    ['    action: Close the door.\n', '/rules/0/action'],
  ]
  for (const [line, pointer] of parts) {
    test(`without ${line.trim().split(':')[0]}`, () => {
      const [rule] = parseProgram(text(ruleText.replace(line, '')), 'p.yaml').rules
      expect(() => assertOwned(rule!, '/rules/0')).toThrow(
        expect.objectContaining({ code: 'rule-incomplete', pointer }),
      )
    })
  }

  test('with one role as owner and backup', () => {
    const [rule] = parseProgram(text(ruleText.replace('pharmacist', 'facilities')), 'p.yaml').rules
    expect(() => assertOwned(rule!, '/rules/0')).toThrow(expect.objectContaining({ pointer: '/rules/0/backup' }))
  })
})

test('programs > a program says that it is under 42 CFR Part 2, and no other label is known', () => {
  const labelled = (label: string) => text(ruleText).replace('notice: n', `notice: n\nlabel: ${label}`)
  expect(parseProgram(labelled('part2'), 'p.yaml').label).toBe('part2')
  expect(parseProgram(text(ruleText), 'p.yaml')).not.toHaveProperty('label')
  expect(refusal(labelled('secret'))).toMatchObject({ code: 'program-invalid', pointer: '/label' })
})
