import type { Observation } from '@medplum/fhirtypes'
import { describe, expect, it } from 'vitest'
import { daysOf, measuresOf, plotOf, rangeText, valueText } from './vitals.ts'

const coded = (code: string, text: string) => ({ coding: [{ system: 'http://loinc.org', code }], text })
const pressure = (at: string, upper: number, lower: number, more: Partial<Observation> = {}): Observation => ({
  resourceType: 'Observation',
  id: at,
  status: 'final',
  code: coded('85354-9', 'Blood pressure'),
  effectiveDateTime: at,
  component: [
    { code: coded('8480-6', 'Systolic'), valueQuantity: { value: upper, unit: 'mmHg' } },
    { code: coded('8462-4', 'Diastolic'), valueQuantity: { value: lower, unit: 'mmHg' } },
  ],
  ...more,
})
const pulse = (at: string, value: number): Observation => ({
  ...{ resourceType: 'Observation', id: `p${at}`, status: 'final', code: coded('8867-4', 'Heart rate') },
  ...{ effectiveDateTime: at, valueQuantity: { value, unit: '/min' } },
})

describe('vitals by day', () => {
  it('groups by measure, most measured first, and leaves out what was entered in error or has no number', () => {
    const measures = measuresOf([
      pulse('2026-11-02T08:00:00Z', 71),
      pressure('2026-11-02T08:00:00Z', 142, 90),
      pressure('2026-11-01T08:00:00Z', 118, 76),
      pressure('2026-11-03T08:00:00Z', 190, 120, { status: 'entered-in-error' }),
      pressure('2026-11-04T08:00:00Z', 1, 1, { component: [] }),
    ])
    expect(measures.map(({ label, unit, vitals }) => [label, unit, vitals.length])).toEqual([
      ['Blood pressure', 'mmHg', 2],
      ['Heart rate', '/min', 1],
    ])
    expect(measures[0]!.vitals.map(valueText)).toEqual(['118/76', '142/90'])
  })

  it('says that a value lies beyond what the device can tell, alone and among others', () => {
    const glucose = (at: string, value: number, comparator?: '<' | '>'): Observation => ({
      ...{ resourceType: 'Observation', id: at, status: 'final', code: coded('2339-0', 'Glucose') },
      effectiveDateTime: at,
      valueQuantity: { value, unit: 'mg/dL', ...(comparator === undefined ? {} : { comparator }) },
    })
    const [measure] = measuresOf([
      glucose('2026-11-02T08:00:00Z', 40, '<'),
      glucose('2026-11-02T09:00:00Z', 110),
      glucose('2026-11-03T08:00:00Z', 600, '>'),
    ])
    expect(measure!.vitals.map(valueText)).toEqual(['<40', '110', '>600'])
    expect(daysOf(measure!, 'UTC').map(rangeText)).toEqual(['>600', '<40 to 110'])
  })

  it('counts days in the patient’s zone, newest first', () => {
    const [measure] = measuresOf([
      pressure('2026-11-01T22:30:00Z', 118, 76),
      pressure('2026-11-01T23:30:00Z', 142, 90),
      pressure('2026-11-02T08:00:00Z', 130, 95),
    ])
    const days = daysOf(measure!, 'Europe/Vienna')
    expect(days.map(({ date, vitals }) => [date, vitals.length])).toEqual([
      ['2026-11-02', 2],
      ['2026-11-01', 1],
    ])
    expect(days.map(rangeText)).toEqual(['130/90 to 142/95', '118/76'])
  })

  it('draws blood pressure as bars, and a window that was summed up with its least and greatest', () => {
    const summed: Observation = {
      ...{ resourceType: 'Observation', id: 's', status: 'final', code: coded('8867-4', 'Heart rate') },
      effectivePeriod: { start: '2026-11-02T08:00:00Z', end: '2026-11-02T08:05:00Z' },
      component: (['mean', 'minimum', 'maximum'] as const).map((code, place) => ({
        code: { coding: [{ code }] },
        valueQuantity: { value: [72, 60, 91][place]!, unit: '/min' },
      })),
    }
    const [rate] = measuresOf([summed])
    expect(valueText(rate!.vitals[0]!)).toBe('72 (60 to 91)')
    expect(plotOf(rate!)).toMatchObject({ bars: false, unit: '/min', lines: [{ points: [{ low: 60, high: 91 }] }] })
    expect(plotOf(measuresOf([pressure('2026-11-02T08:00:00Z', 142, 90)])[0]!)).toMatchObject({
      ...{ bars: true, lines: [{ label: 'Systolic' }, { label: 'Diastolic', points: [{ value: 90 }] }] },
    })
  })

  it('shows a blood pressure of which one number is missing, as that number alone', () => {
    const [upper] = pressure('2026-11-02T08:00:00Z', 190, 0).component!
    const measures = measuresOf([pressure('2026-11-02T08:00:00Z', 0, 0, { component: [upper!] })])
    expect(measures).toMatchObject([{ code: '8480-6', label: 'Systolic alone', unit: 'mmHg' }])
    expect(measures[0]!.vitals.map(valueText)).toEqual(['190'])
  })
})
