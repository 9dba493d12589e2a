import { expect, test } from 'vitest'
import { acceptedUnits, allSignals, dimensions, isPlausible, nthSignal, signal, toCanonical } from './index.ts'

/** LOINC's own check digit (mod 10), so that a mistyped code does not stand in the table. */
function loincCheckDigit(number: string): number {
  let sum = 0
  for (const [place, digit] of [...number].reverse().entries()) {
    const doubled = Number(digit) * (place % 2 === 0 ? 2 : 1)
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return (10 - (sum % 10)) % 10
}

test('every signal has a kebab-case code of its own, a canonical unit of its dimension and a range', () => {
  expect(new Set(allSignals.map((each) => each.code)).size).toBe(allSignals.length)
  for (const each of allSignals) {
    expect(each.code).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
    expect(each.plausible[0], each.code).toBeLessThan(each.plausible[1])
    expect(
      dimensions[each.dimension].some((unit) => unit.code === each.unit),
      each.code,
    ).toBe(true)
    expect(toCanonical(each.code, 7, each.unit), each.code).toEqual({ value: 7 })
  }
})

test('every LOINC code carries the right check digit', () => {
  const codes = allSignals.flatMap((each) => (each.loinc === undefined ? [] : [each.loinc]))
  expect(codes.length).toBeGreaterThan(15)
  for (const code of codes) {
    const [number, digit] = code.split('-')
    expect(loincCheckDigit(number!), code).toBe(Number(digit))
  }
})

test.each([
  ['body-temperature', 98.24, '[degF]', 36.8],
  ['body-temperature', 98.24, '°F', 36.8],
  ['body-temperature', 100.4, 'F', 38],
  ['temperature-probe', 275.15, 'K', 2],
  ['body-weight', 180, 'lb', 81.6466266],
  ['body-weight', 82450, 'g', 82.45],
  ['systolic', 16, 'kPa', 120.010200867],
  ['glucose', 5.8, 'mmol/L', 104.49048],
  ['glucose', 0.0058, 'mol/L', 104.49048],
  ['glucose', 0.00105, 'kg/L', 105],
  ['spo2', 0.97, '1', 97],
  ['acceleration-x', -716, 'm[g]', -7.0215614],
  ['acceleration-x', 1, 'g', 9.80665],
  ['body-height', 175, 'cm', 1.75],
  ['pressure-air', 101_325, 'Pa', 1013.25],
  ['battery-voltage', 2395, 'mV', 2.395],
  ['rr-interval', 0.833, 's', 833],
])('%s %d %s becomes %d in the canonical unit, and the original is kept', (code, value, unit, canonical) => {
  const converted = toCanonical(code, value, unit)
  expect(converted?.value).toBe(canonical)
  expect(converted?.original?.value).toBe(value)
})

test('the original names the UCUM code, however the device spelt it', () => {
  expect(toCanonical('body-weight', 180, 'lbs')?.original).toEqual({ value: 180, unit: '[lb_av]' })
})

test.each([
  ['heart-rate', 'bpm'],
  ['systolic', 'mmHg'],
  ['body-temperature', '°C'],
  ['temperature-ambient', 'C'],
  ['glucose', 'mg/dl'],
  ['spo2', '%'],
])('%s in %s is the canonical unit in other letters: nothing is converted and nothing kept twice', (code, unit) => {
  expect(toCanonical(code, 72.5, unit)).toEqual({ value: 72.5 })
})

test.each([
  ['heart-rate', 'mm[Hg]'],
  ['glucose', '%'],
  ['body-weight', 'mmHg'],
  ['systolic', ''],
  ['no-such-signal', '1'],
  ['battery-level', 'constructor'],
])('%s in %s is a unit mismatch', (code, unit) => {
  expect(toCanonical(code, 1, unit)).toBeUndefined()
})

test('absent values pass as they are; of a censored value the limit is converted', () => {
  expect(toCanonical('glucose', { absent: 'not-a-number' }, 'mmol/L')).toEqual({ value: { absent: 'not-a-number' } })
  expect(toCanonical('glucose', { comparator: '<', limit: 1.1 }, 'mmol/L')).toEqual({
    value: { comparator: '<', limit: 19.81716 },
    original: { value: 1.1, unit: 'mmol/L' },
  })
})

test('values outside what sensor and body can show are implausible, and NaN always is', () => {
  expect(isPlausible('spo2', 97)).toBe(true)
  expect(isPlausible('spo2', 100)).toBe(true)
  expect(isPlausible('spo2', 101)).toBe(false)
  expect(isPlausible('glucose', 13)).toBe(false)
  expect(isPlausible('glucose', Number.NaN)).toBe(false)
  expect(isPlausible('glucose', { absent: 'not-a-number' })).toBe(true)
})

test('a second sensor of a kind is a signal of its own', () => {
  expect(nthSignal('temperature-ambient', 1)).toBe('temperature-ambient')
  expect(signal(nthSignal('temperature-ambient', 2))?.label).toBe('Air temperature 2')
  expect(signal(nthSignal('pm2-5', 3))?.unit).toBe('ug/m3')
  expect(toCanonical('temperature-ambient-2', 50, 'F')?.value).toBe(10)
  for (const none of ['temperature-ambient-1', 'temperature-ambient-256', 'temperature-ambient-2-2', 'nothing-2'])
    expect(signal(none), none).toBeUndefined()
})

test('every conversion there and back comes home within eleven digits', () => {
  for (const each of allSignals) {
    for (const unit of acceptedUnits(each.code)) {
      const once = toCanonical(each.code, 1, unit)?.value
      const twice = toCanonical(each.code, 2, unit)?.value
      const zero = toCanonical(each.code, 0, unit)?.value
      if (typeof once !== 'number' || typeof twice !== 'number' || typeof zero !== 'number') throw new Error(unit)
      expect(twice - once, `${each.code} ${unit}`).toBeCloseTo(once - zero, 6)
    }
  }
})
