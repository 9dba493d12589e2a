import type { DrawnThreshold } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { draftsOf, editsOf, inOwnUnit, numberOf, overlapsOf, problemOf, unitsFor } from './limit-draft.ts'

const warm: DrawnThreshold = {
  ...{ signal: 'temperature-probe', label: 'Probe temperature', role: 'raise', comparator: '>', limit: 8 },
  ...{ unit: '°C', ucum: 'Cel', part: 'when', index: 0 },
}
const clears: DrawnThreshold = { ...warm, role: 'clear', comparator: '<=', limit: 7.5, part: 'clear', index: 0 }
const [draft, clear] = draftsOf([warm, clears])

describe('a limit while it is typed', () => {
  it('offers the own unit first, and only what fits', () => {
    expect(unitsFor('temperature-probe').map(({ label }) => label)).toEqual(['°C', '°F'])
    expect(unitsFor('systolic').map(({ label }) => label)).toEqual(['mmHg', 'kPa'])
  })

  it('is a number, with point or comma, that can be measured, in its own unit', () => {
    expect([numberOf('8,5'), numberOf(' -0.5 '), numberOf('8x'), numberOf('')]).toEqual([
      8.5,
      -0.5,
      Number.NaN,
      Number.NaN,
    ])
    expect(problemOf({ ...draft!, text: 'warm' })).toBe('Give a number.')
    expect(problemOf({ ...draft!, text: '900' })).toMatch(/^Outside of what can be measured: -200 to 150 °C/)
    expect(problemOf({ ...draft!, text: '47', unit: '[degF]' })).toBeUndefined()
    expect(inOwnUnit({ ...draft!, text: '47', unit: '[degF]' })).toBe('= 8.3 °C')
  })

  it('is sent only when it was changed', () => {
    expect(editsOf([draft!, clear!])).toEqual([])
    expect(editsOf([{ ...draft!, text: '9' }, clear!])).toEqual([{ part: 'when', index: 0, limit: 9, unit: 'Cel' }])
  })

  it('may not clear while it is still raised', () => {
    expect([...overlapsOf([draft!, clear!])]).toEqual([])
    expect([...overlapsOf([{ ...draft!, text: '7' }, clear!]).keys()]).toEqual([1])
    expect([...overlapsOf([draft!, { ...clear!, text: '47', unit: '[degF]' }]).keys()]).toEqual([1])
  })

  it('cannot be changed where it does not say which it is', () => {
    const { part: _part, ...readOnly } = warm
    expect(draftsOf([readOnly])).toEqual([])
  })
})
