import { describe, expect, test } from 'vitest'
import { derived, metricBases, offsets, prefixes } from './atoms.ts'
import { canonicalQuantity, convert, GLUCOSE_GRAMS_PER_MOLE, gramsPerMoleOf } from './canonical.ts'
import { libraryUnit } from './library.ts'
import { unitOf } from './unit.ts'

const SENT_BY_DEVICES = [
  ...[
    '/min',
    '%',
    'mm[Hg]',
    'kg',
    'mmol/L',
    'mg/dL',
    '{steps}',
    '1',
    'uS',
    'mL/h',
    'cm[H2O]',
    '[lb_av]',
    '[in_i]',
    'kg/m2',
  ],
  ...[
    '10*3/uL',
    '10^9/L',
    'mL/min/{1.73_m2}',
    'dyn.s/cm5',
    'L/min',
    'ms',
    'mV',
    'ug/m3',
    '[ppm]',
    'lx',
    'ug/kg/min',
    '/(12.h)',
  ],
  ...[
    'mmol/(8.h.kg)',
    'g%',
    'kPa',
    '[psi]',
    '[MET]',
    '{beats}/min',
    'm/s2',
    'deg',
    '%{HbA1c}',
    'Torr',
    '[diop]',
    'kcal',
  ],
]

describe('ucum', () => {
  test.each(SENT_BY_DEVICES)('%s means what the complete library says it means', (code) => {
    const ours = unitOf(code)
    const theirs = libraryUnit(code)
    expect(ours?.kind).toBe(theirs?.kind)
    expect((ours?.factor ?? 0) / (theirs?.factor ?? 0)).toBeCloseTo(1, 6)
  })

  test('every unit of our table, with every prefix that it may carry, is one to the library, of the same size', () => {
    const differing: string[] = []
    for (const [atom, [, , isMetric]] of Object.entries(derived)) {
      // UCUM counts moles and equivalents as numbers, and has no factor for arbitrary units: ours are told apart.
      if (['eq', 'osm', '[IU]'].includes(atom)) continue
      for (const code of isMetric ? [atom, ...Object.keys(prefixes).map((prefix) => prefix + atom)] : [atom]) {
        const ours = unitOf(code)
        const theirs = libraryUnit(code)
        // Read as another atom by both: `Pa` is pascal, never peta-year.
        const isSame = ours !== null && theirs?.kind === ours.kind && Math.abs(ours.factor / theirs.factor - 1) < 1e-6
        if (!isSame) differing.push(code)
      }
    }
    expect(differing).toEqual([])
  })

  test.each([
    'beats/min',
    'mmHg',
    'bpm',
    'cmH2O',
    '°C',
    'degC',
    'C/',
    'lbs',
    'steps',
    'm//s',
    '/',
    '',
    'm.',
    '2m',
    '%%',
    'mg/kg{body wt}',
    '(m',
  ])('%j is no unit', (code) => expect(unitOf(code)).toBeNull())

  test('capitals matter: mmol/L and MMOL/L are not the same, and SEC is none', () => {
    expect(unitOf('SEC')).toBeNull()
    expect(canonicalQuantity(1, 'Ms')).toEqual({ value: 1e6, unit: 's' })
    expect(canonicalQuantity(1, 'ms')).toEqual({ value: 1e-3, unit: 's' })
  })

  test('a unit that only the library knows is converted too', () => {
    expect(Object.hasOwn(derived, '[in_us]')).toBe(false)
    expect(convert(1, '[in_us]', 'cm')).toBeCloseTo(2.54, 4)
    expect(canonicalQuantity(7.4, '[pH]')).toEqual({ value: 7.4, unit: '[pH]' })
  })

  test('the same temperature, pressure and weight are the same quantity', () => {
    expect(canonicalQuantity(98.6, '[degF]')).toEqual(canonicalQuantity(37, 'Cel'))
    expect(canonicalQuantity(310.15, 'K')).toEqual(canonicalQuantity(37, 'Cel'))
    expect(convert(120, 'mm[Hg]', 'kPa')).toBeCloseTo(15.99864, 9)
    expect(convert(1, '[lb_av]', 'g')).toBe(453.59237)
    expect(convert(37, 'Cel', 'mm[Hg]')).toBeNull()
    expect(convert(1, 'mg/dL', 'mmHg')).toBeNull()
  })

  test('glucose is compared across mass and moles only where it is known to be glucose', () => {
    const glucose = gramsPerMoleOf([{ system: 'http://loinc.org', code: '15074-8' }])
    expect(glucose).toBe(GLUCOSE_GRAMS_PER_MOLE)
    expect(convert(100, 'mg/dL', 'mmol/L', glucose)).toBeCloseTo(5.5507, 4)
    expect(gramsPerMoleOf([{ system: 'http://loinc.org', code: '8867-4' }])).toBeUndefined()
    expect(convert(100, 'mg/dL', 'mmol/L')).toBeNull()
  })

  test('amounts of substance are no counts', () => {
    expect(canonicalQuantity(5, 'mmol/L')?.unit).not.toBe(canonicalQuantity(5, '10*9/L')?.unit)
    expect([...metricBases, ...Object.keys(offsets)].every((code) => unitOf(code) !== null)).toBe(true)
  })

  test('what clients send is remembered within bounds, and long texts are no units', () => {
    for (let index = 0; index < 2_100; index++) unitOf(`{a${index}}`)
    expect(unitOf('mm[Hg]')?.kind).toBe('g.m-1.s-2')
    expect(unitOf(`${'m.'.repeat(150)}m`)).toBeNull()
  })
})
