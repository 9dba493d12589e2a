/** What a signal is called in the record: codings, category, profiles. Data. Sources: reference tables of LOINC, MDC, US Core 8. */
import { type Signal, signal } from '@careloop/contract'
import { plainOf } from './policy.ts'
import { systems } from './systems.ts'

export interface Coding {
  readonly system: string
  readonly code: string
  readonly display?: string
}

export interface Concept {
  readonly coding: readonly Coding[]
  readonly text: string
}

const displays: Readonly<Record<string, string>> = {
  '8867-4': 'Heart rate',
  '59408-5': 'Oxygen saturation in Arterial blood by Pulse oximetry',
  '2708-6': 'Oxygen saturation in Arterial blood',
  '8480-6': 'Systolic blood pressure',
  '8462-4': 'Diastolic blood pressure',
  '8478-0': 'Mean blood pressure',
  '8310-5': 'Body temperature',
  '29463-7': 'Body weight',
  '8302-2': 'Body height',
  '39156-5': 'Body mass index (BMI) [Ratio]',
  '9279-1': 'Respiratory rate',
}

/** Base R4 and US Core profile of a vital sign, by the last part of their addresses. */
const profiles: Readonly<Record<string, readonly [r4: string, usCore: string]>> = {
  '8867-4': ['heartrate', 'us-core-heart-rate'],
  '59408-5': ['oxygensat', 'us-core-pulse-oximetry'],
  '85354-9': ['bp', 'us-core-blood-pressure'],
  '8310-5': ['bodytemp', 'us-core-body-temperature'],
  '29463-7': ['bodyweight', 'us-core-body-weight'],
  '8302-2': ['bodyheight', 'us-core-body-height'],
  '39156-5': ['bmi', 'us-core-bmi'],
  '9279-1': ['resprate', 'us-core-respiratory-rate'],
}

/** Categories other than `vital-signs`; null = none of HL7's fits. */
const categories: Readonly<Record<string, string | null>> = {
  glucose: 'laboratory',
  'glucose-interstitial': 'laboratory',
  'glucose-trend': 'laboratory',
  steps: 'activity',
  'energy-expended': 'activity',
  'blood-volume-pulse': 'procedure',
  'skin-conductance': 'procedure',
  'hrv-sdnn': 'procedure',
  'hrv-rmssd': 'procedure',
  'rr-interval': 'procedure',
}

/** A pulse that a cuff counted has another code than one of an oximeter. */
const cuffPulse = [149546, 'MDC_PULS_RATE_NON_INV'] as const

export function conceptOf(row: Signal, byCuff = false): Concept {
  const mdc = byCuff && row.loinc === '8867-4' ? cuffPulse : row.mdc && ([row.mdc.code, row.mdc.refId] as const)
  return {
    coding: [
      ...(row.loinc === undefined ? [] : [loincCoding(row.loinc)]),
      // US Core asks for both codes of an oximeter's saturation.
      ...(row.loinc === '59408-5' ? [loincCoding('2708-6')] : []),
      ...(mdc === undefined ? [] : [{ system: systems.mdc, code: String(mdc[0]), display: mdc[1] }]),
      { system: systems.signal, code: row.code, display: row.label },
    ],
    text: row.label,
  }
}

const loincCoding = (code: string): Coding => ({
  ...{ system: systems.loinc, code },
  ...(displays[code] === undefined ? {} : { display: displays[code] }),
})

/** One cuff measurement. */
export const panelConcept: Concept = {
  coding: [
    { system: systems.loinc, code: '85354-9', display: 'Blood pressure panel with all children optional' },
    { system: systems.mdc, code: '150020', display: 'MDC_PRESS_BLD_NONINV' },
  ],
  text: 'Blood pressure',
}

export const panelSignals = ['systolic', 'diastolic', 'mean-arterial-pressure'] as const

/**
 * @param isPersonal a person's own device measured by itself: HL7's guide of personal health devices names that category
 */
export function categoryOf(code: string, isPersonal: boolean): readonly object[] {
  const row = signal(code)
  const named = categories[plainOf(code)]
  const category = row?.kind === 'vital' ? (named === undefined ? 'vital-signs' : named) : null
  return [
    ...(category === null ? [] : [{ coding: [{ system: systems.category, code: category }] }]),
    ...(isPersonal ? [{ coding: [{ system: systems.phdCategory, code: 'phd' }] }] : []),
  ]
}

/** Profiles that it is said to fulfil; none where no guide has one. */
export function profilesOf(loinc: string | undefined): readonly string[] {
  const found = loinc === undefined ? undefined : profiles[loinc]
  if (found === undefined) return []
  return [
    `http://hl7.org/fhir/StructureDefinition/${found[0]}`,
    `http://hl7.org/fhir/us/core/StructureDefinition/${found[1]}`,
  ]
}
