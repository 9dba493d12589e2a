import { expect, test } from 'vitest'
import { allSignals } from './lookup.ts'
import { signalClasses, signalClassOf } from './signal-class.ts'

test('vocabulary > every signal is of one class that a person can share; what no vocabulary knows is of none', () => {
  for (const { code } of allSignals) expect([code, signalClasses.includes(signalClassOf(code)!)]).toEqual([code, true])
  expect(signalClassOf('moon-phase')).toBeNull()
})

test('vocabulary > a second sensor of a kind is of the class of the first; what tells of behaviour is not a vital sign', () => {
  const classOf = ['heart-rate', 'skin-conductance', 'glucose', 'steps', 'presence', 'occupancy-2', 'battery-level']
  expect(classOf.map(signalClassOf)).toEqual([
    ...['vital-signs', 'behavioural', 'glucose', 'activity', 'location', 'location', 'device'],
  ])
  expect(signalClassOf('temperature-ambient-2')).toBe('environment')
})
