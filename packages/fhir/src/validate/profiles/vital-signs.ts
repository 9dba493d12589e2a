/**
 * The vital signs of FHIR R4 (4.0.1, observation-vitalsigns.html). R4 asks them of every Observation whose code is one
 * of theirs, declared or not.
 */
import { has, hasChoice, type Invariant, loose } from '../invariant.ts'
import { concept, type Elements, type Node, type Profile, type Slice } from './profile.ts'

const BASE = 'http://hl7.org/fhir/StructureDefinition/'
const LOINC = 'http://loinc.org'
const UCUM = 'http://unitsofmeasure.org'
const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'

export const VITAL_SIGNS = `${BASE}vitalsigns`

const toTheDay: Invariant = {
  key: 'vs-1',
  severity: 'error',
  human: 'A date of a vital sign is precise to the day at least.',
  holds: (value) => typeof value !== 'string' || value.length >= 10,
}

const hasAValue: Invariant = {
  key: 'vs-2',
  severity: 'error',
  human: 'A vital sign without component or hasMember carries a value or a dataAbsentReason.',
  holds(value) {
    const it = loose(value)
    return has(it, 'component') || has(it, 'hasMember') || has(it, 'dataAbsentReason') || hasChoice(it, 'value')
  },
}

const componentHasAValue: Invariant = {
  key: 'vs-3',
  severity: 'error',
  human: 'A component of a vital sign carries a value or a dataAbsentReason.',
  holds: (value) => hasChoice(loose(value), 'value') || has(loose(value), 'dataAbsentReason'),
}

const vitalSigns: Profile = {
  url: VITAL_SIGNS,
  id: 'vitalsigns',
  type: 'Observation',
  bases: [],
  rules: [hasAValue],
  elements: {
    category: { min: 1, slices: { VSCat: { match: concept(CATEGORY, 'vital-signs'), min: 1, max: 1 } } },
    subject: { min: 1, targets: ['Patient'] },
    'effective[x]': { min: 1, types: ['dateTime', 'Period'] },
    effectiveDateTime: { rules: [toTheDay] },
    hasMember: { targets: ['QuestionnaireResponse', 'MolecularSequence', 'Observation'] },
    derivedFrom: {
      targets: [
        'DocumentReference',
        'ImagingStudy',
        'Media',
        'QuestionnaireResponse',
        'MolecularSequence',
        'Observation',
      ],
    },
    component: { rules: [componentHasAValue] },
  },
}

/** A quantity with value, unit, and a UCUM code that is one of these. */
export function measured(units: readonly string[]): Elements {
  return {
    value: { min: 1 },
    unit: { min: 1 },
    system: { min: 1, fixed: UCUM },
    code: { min: 1, fixed: units },
  }
}

/** `[id, name of the slice of its code, LOINC, units]`. */
const SINGLE: readonly (readonly [string, string, string, readonly string[]])[] = [
  ['resprate', 'RespRateCode', '9279-1', ['/min']],
  ['heartrate', 'HeartRateCode', '8867-4', ['/min']],
  ['oxygensat', 'OxygenSatCode', '2708-6', ['%']],
  ['bodytemp', 'BodyTempCode', '8310-5', ['Cel', '[degF]']],
  ['bodyheight', 'BodyHeightCode', '8302-2', ['cm', '[in_i]']],
  ['headcircum', 'HeadCircumCode', '9843-4', ['cm', '[in_i]']],
  ['bodyweight', 'BodyWeightCode', '29463-7', ['kg', '[lb_av]', 'g']],
  ['bmi', 'BMICode', '39156-5', ['kg/m2']],
]

const single: readonly Profile[] = SINGLE.map(([id, slice, loinc, units]) => ({
  url: `${BASE}${id}`,
  id,
  type: 'Observation',
  bases: [VITAL_SIGNS],
  elements: {
    code: { elements: { coding: coded(slice, loinc) } },
    'value[x]': { types: ['Quantity'], min: id === 'bmi' ? 1 : 0 },
    valueQuantity: { elements: measured(units) },
  },
}))

const bloodPressure: Profile = {
  url: `${BASE}bp`,
  id: 'bp',
  type: 'Observation',
  bases: [VITAL_SIGNS],
  elements: {
    code: { elements: { coding: coded('BPCode', '85354-9') } },
    'value[x]': { max: 0 },
    component: {
      min: 2,
      slices: { SystolicBP: pressure('8480-6'), DiastolicBP: pressure('8462-4') },
    },
  },
}

const panel: Profile = {
  url: `${BASE}vitalspanel`,
  id: 'vitalspanel',
  type: 'Observation',
  bases: [VITAL_SIGNS],
  elements: {
    code: { elements: { coding: coded('VitalsPanelCode', '85353-1') } },
    'value[x]': { max: 0 },
    hasMember: { min: 1 },
  },
}

export const vitalSignsProfiles: readonly Profile[] = [vitalSigns, ...single, bloodPressure, panel]

/** The profile that R4 asks of a LOINC code. */
export const vitalSignsByLoinc: ReadonlyMap<string, string> = new Map([
  ...SINGLE.map(([id, , loinc]) => [loinc, `${BASE}${id}`] as const),
  ['85354-9', `${BASE}bp`],
  ['85353-1', `${BASE}vitalspanel`],
])

function coded(slice: string, loinc: string): Node {
  return { slices: { [slice]: { match: { system: LOINC, code: loinc }, min: 1, max: 1 } } }
}

function pressure(loinc: string): Slice {
  return {
    match: { code: concept(LOINC, loinc) },
    min: 1,
    max: 1,
    elements: {
      'value[x]': { types: ['Quantity'] },
      valueQuantity: { elements: measured(['mm[Hg]']) },
    },
  }
}
