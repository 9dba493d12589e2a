/** The kinds of rules in YAML: what they become, how they are said, and what is refused where. */
import { Failure } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { parseProgram } from './parse-program.ts'
import { conditionInWords } from './sentence.ts'

const rule = (body: string, sentence = 'Since {since}') => `program: p
title: P
subject: asset
use: u
notice: n
rules:
  - rule: r
    title: R
    priority: low
    nature: technical
    why: because
    value: v
    unit: ''
    sentence: '${sentence}'
${body
  .trim()
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
`
const bodyOf = (text: string, sentence?: string) => parseProgram(rule(text, sentence), 'p.yaml').rules[0]!.body

const count = 'when: systolic >= 180 mm[Hg]\ncount: { at_least: 3, within: 24 h }'
const rate = 'change: { of: temperature-ambient, rises_by: "9 [degF]", within: 10 min }'
const silent = 'absence: { of: [temperature-probe], for: 60 min }\nper: device'
const repeat = 'when: systolic >= 180 mm[Hg]\nconfirm: { repeat_after: 1 min, repeat_within: 5 min }'

describe('programs > kinds of rules', () => {
  test.each([
    [
      'a count',
      count,
      { kind: 'count', atLeast: 3, withinMs: 86_400_000 },
      'Systolic blood pressure at or above 180 mmHg, 3 measurements within 24 h',
    ],
    [
      'a change, its difference without the offset of the scale',
      rate,
      { kind: 'rate', by: 5, change: 'rise' },
      'Air temperature rises by 5.0 °C or more within 10 min',
    ],
    [
      'a change that rests',
      `${rate.slice(0, -2)}, unless_heard: { signal: door-open, within: 1 d } }`,
      { unlessHeard: { signal: 'door-open' } },
      'Air temperature rises by 5.0 °C or more within 10 min, where no Door is heard',
    ],
    [
      'a silence',
      silent,
      { kind: 'absence', of: ['temperature-probe'], afterMs: 3_600_000 },
      'No Probe temperature for 60 min',
    ],
    [
      'a connection',
      'absence: { of: connection, for: 10 min }\nper: device',
      { of: 'connection' },
      'Disconnected for 10 min',
    ],
    [
      'a repeat',
      repeat,
      { confirm: { fromMs: 60_000, toMs: 300_000 } },
      'Systolic blood pressure at or above 180 mmHg, repeated after 1 min to 5 min or not repeated at all',
    ],
    ['a state by its name', 'when: door-open is open', { when: { limits: [{ is: '>=', limit: 1 }] } }, 'Door open'],
    [
      'a step worse, in the unit of the signal',
      'when: temperature-probe > 8 Cel\nworse_by: 1.8 [degF]',
      { worseBy: [1] },
      'Probe temperature above 8.0 °C',
    ],
  ])('%s', (_, text, wanted, words) => {
    const body = bodyOf(text)
    expect(body).toMatchObject(wanted)
    expect(conditionInWords(body)).toBe(words)
  })
})

describe('programs > of every kind an error points to its field and says what to write', () => {
  const cases: [name: string, text: string, pointer: string, words: RegExp][] = [
    ['no kind', 'per: device', '/rules/0/when', /one of: when, change, absence/],
    ['two kinds', `${count}\n${silent}`, '/rules/0/absence', /one of/],
    ['a count of one', count.replace('3', '1'), '/rules/0/count/at_least', /2/],
    ['a hold beside a count', `${count}\nhold: { in_a_row: 2 }`, '/rules/0/hold', /means nothing beside count/],
    [
      'a change of nothing known',
      rate.replace('temperature-ambient', 'temprature'),
      '/rules/0/change/of',
      /not a signal/,
    ],
    ['a change in another unit', rate.replace('[degF]', 'mm[Hg]'), '/rules/0/change/rises_by', /Use one of Cel/],
    ['a change of 0', rate.replace('9 [', '0 ['), '/rules/0/change/rises_by', /above 0/],
    ['a change without direction', rate.replace('rises_by', 'x_by'), '/rules/0/change', /x_by/],
    ['a silence of seconds', silent.replace('60 min', '5 s'), '/rules/0/absence/for', /1 min/],
    [
      'a silence of nothing known',
      silent.replace('temperature-probe', 'probe'),
      '/rules/0/absence/of/0',
      /not a signal/,
    ],
    ['a connection of a subject', 'absence: { of: connection, for: 10 min }', '/rules/0/per', /per: device/],
    [
      'a limit beside a silence',
      `${silent}\nclear: { when: temperature-probe > 2 Cel }`,
      '/rules/0/clear',
      /means nothing beside absence/,
    ],
    ['a repeat and a hold', `${repeat}\nhold: { in_a_row: 2 }`, '/rules/0/confirm', /Choose one/],
    [
      'a repeat that ends before it begins',
      repeat.replace('5 min', '30 s'),
      '/rules/0/confirm/repeat_within',
      /longer than/,
    ],
    ['a step in another unit', `${count}\nworse_by: 1 Cel`, '/rules/0/worse_by', /Use one of mm\[Hg\]/],
    ['a state that is none', 'when: door-open is ajar', '/rules/0/when', /is closed or door-open is open/],
    ['a state of a number', 'when: systolic is high', '/rules/0/when', /no state/],
  ]
  for (const [name, text, pointer, words] of cases) {
    test(name, () => {
      let failure: unknown
      try {
        bodyOf(text)
      } catch (error) {
        failure = error
      }
      expect(failure).toBeInstanceOf(Failure)
      expect(failure).toMatchObject({ code: 'program-invalid', pointer, message: expect.stringMatching(words) })
      expect((failure as Failure).message).toMatch(/^p\.yaml:\d+:\d+ /)
    })
  }

  test.each([
    ['a value of what is absent', silent, 'At {temperature-probe}', /Use \{since\}, \{for\}, \{last\}/],
    ['a repeat that is not asked for', count, '{confirmed}', /means nothing/],
    ['when it was last heard, of a threshold', count, '{last}', /means nothing/],
  ])('a sentence with %s', (_, text, sentence, words) => {
    expect(() => bodyOf(text, sentence)).toThrow(words)
    expect(() => bodyOf(text, sentence)).toThrow(expect.objectContaining({ pointer: '/rules/0/sentence' }))
  })
})
