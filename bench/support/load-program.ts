/** Three rules a series for the load of the benches. A crossing (`spo2` of 80) raises `spo2-low`; the next good value clears it. */
import { type Program, parseProgram } from '../../packages/rules/src/index.ts'

/** The value by which the load crosses. */
export const crossingSpo2 = 80

interface Wanted {
  readonly signal: string
  readonly unit: string
  readonly is: '<' | '>'
  /** What raises at once, after 5 minutes, and after three in a row; with what clears each. */
  readonly limits: readonly (readonly [raise: number, clear: number])[]
}

const wanted: readonly Wanted[] = [
  {
    signal: 'spo2',
    unit: '%',
    is: '<',
    limits: [
      [85, 90],
      [92, 93],
      [94, 95],
    ],
  },
  {
    signal: 'heart-rate',
    unit: '/min',
    is: '>',
    limits: [
      [150, 140],
      [120, 110],
      [130, 120],
    ],
  },
  {
    signal: 'respiratory-rate',
    unit: '/min',
    is: '>',
    limits: [
      [30, 26],
      [24, 22],
      [28, 24],
    ],
  },
]
const holds = ['', 'hold: { for: 5 min }\n    reading_valid_for: 10 min', 'hold: { in_a_row: 3, within: 10 min }']

/** Parsed as any program: the benches measure rules as people write them. */
export const loadProgram = (): Program =>
  parseProgram(
    `program: load
title: Load of a bench
subject: patient
use: Only for measuring.
notice: Not for patients.
rules:${wanted.flatMap((each) => each.limits.map((_, place) => ruleOf(each, place))).join('')}`,
    'load program',
  )

function ruleOf({ signal, unit, is, limits }: Wanted, place: number): string {
  const [raise, clear] = limits[place]!
  return `
  - rule: ${signal}-${['now', 'long', 'row'][place]}
    title: ${signal} beyond ${raise}
    priority: medium
    nature: physiological
    why: A limit for measuring.
    when: ${signal} ${is} ${raise} ${unit}
    ${holds[place]}
    clear: { when: ${signal} ${is === '<' ? '>=' : '<='} ${clear} ${unit} }
    owner: nurse
    backup: physician
    limit: 8 h
    action: Nothing.
    value: '{${signal}}'
    unit: '${unit}'
    sentence: '${signal} {${signal}} since {since}'`
}
