import type { DrawnThreshold, ProgramBody } from '@careloop/contract'
import { watchesVitalSigns } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { answerText, holdText, limitsText, minutesText, msOf, needsVitalNotice, stateOf } from './words.ts'

const warm: DrawnThreshold = {
  ...{ signal: 'temperature-probe', label: 'Probe', role: 'raise', comparator: '>', limit: 8, unit: '°C', ucum: 'Cel' },
}
const program = (over: Partial<ProgramBody>): ProgramBody => ({
  ...{ code: 'c', title: 'T', use: '', notice: '', subjectKind: 'patient', rules: [] },
  ...over,
})

describe('rules in words', () => {
  it('say the limit and what clears it', () => {
    const clears: DrawnThreshold = { ...warm, role: 'clear', comparator: '<=', limit: 7.5 }
    expect(limitsText({ thresholds: [warm, clears] })).toBe('> 8 °C; clears ≤ 7.5 °C')
    expect(limitsText({ thresholds: [] })).toBe('')
  })

  it('say how long it must last, and how many people the roles reach', () => {
    expect([holdText({ holdMs: 900_000 }), holdText({}), holdText({ holdMs: 7_200_000, kind: 'absence' })]).toEqual([
      ...['for 15 min', 'at once', 'after 2 h of silence'],
    ])
    expect(answerText({ ownerRole: 'facilities', backupRole: 'pharmacist', reach: { owner: 1, backup: 0 } })).toBe(
      'facilities (1 person), backup pharmacist (nobody)',
    )
  })

  it('take minutes with point or comma and nothing else', () => {
    expect([msOf('15'), msOf('1,5'), msOf('soon'), msOf('')]).toEqual([900_000, 90_000, Number.NaN, Number.NaN])
    expect([minutesText(900_000), minutesText(undefined)]).toEqual(['15', ''])
  })

  it('need the safety sentence where a rule watches vital signs of people', () => {
    const vital = { nature: 'physiological' } as ProgramBody['rules'][number]
    expect(needsVitalNotice(program({ rules: [vital] }), watchesVitalSigns)).toBe(true)
    expect(needsVitalNotice(program({ subjectKind: 'asset', rules: [vital] }), watchesVitalSigns)).toBe(false)
    expect(needsVitalNotice(program({}), watchesVitalSigns)).toBe(false)
  })

  it('are as a program says, or as its rules are', () => {
    expect(stateOf(program({ state: 'available' }))).toBe('available')
    expect(stateOf(program({ rules: [{ state: 'active' } as ProgramBody['rules'][number]] }))).toBe('active')
  })
})
