/**
 * US Core (5.0.1 to 9.0.0): what its profiles ask beyond R4 of the types in use, in minimum cardinalities, slices and
 * invariants; where versions differ, what the mildest asks. Its value sets are extensible or lie with the NLM, and are not checked; must-support asks things of
 * senders that no resource can show.
 */
import { has, hasChoice, type Invariant, list, loose } from '../invariant.ts'
import { concept, type Elements, type Node, type Profile, type Slice } from './profile.ts'
import { resourceUsCoreProfiles } from './us-core-resources.ts'
import { measured, VITAL_SIGNS } from './vital-signs.ts'

export const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition/'
const LOINC = 'http://loinc.org'
const UCUM = 'http://unitsofmeasure.org'
const SNOMED = 'http://snomed.info/sct'
const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'

const vitalSigns: Profile = {
  url: `${US_CORE}us-core-vital-signs`,
  id: 'us-core-vital-signs',
  type: 'Observation',
  bases: [VITAL_SIGNS],
  elements: {},
}

/** `[id, LOINC, units]`; the code is a pattern, so that others may stand beside it. */
const SINGLE: readonly (readonly [string, string, readonly string[]])[] = [
  ['us-core-respiratory-rate', '9279-1', ['/min']],
  ['us-core-heart-rate', '8867-4', ['/min']],
  ['us-core-body-temperature', '8310-5', ['Cel', '[degF]']],
  ['us-core-body-height', '8302-2', ['cm', '[in_i]']],
  ['us-core-head-circumference', '9843-4', ['cm', '[in_i]']],
  ['us-core-body-weight', '29463-7', ['kg', '[lb_av]', 'g']],
  ['us-core-bmi', '39156-5', ['kg/m2']],
  ['head-occipital-frontal-circumference-percentile', '8289-1', ['%']],
  ['pediatric-bmi-for-age', '59576-9', ['%']],
  ['pediatric-weight-for-height', '77606-2', ['%']],
]

const single: readonly Profile[] = SINGLE.map(([id, loinc, units]) =>
  vital(id, { code: { pattern: concept(LOINC, loinc) }, valueQuantity: { elements: measured(units) } }),
)

const pulseOximetry = vital('us-core-pulse-oximetry', {
  code: {
    elements: {
      coding: {
        min: 2,
        slices: { PulseOx: coding('59408-5'), O2Sat: coding('2708-6') },
      },
    },
  },
  valueQuantity: { elements: measured(['%']) },
  component: {
    slices: {
      FlowRate: {
        match: { code: concept(LOINC, '3151-8') },
        max: 1,
        elements: { valueQuantity: { elements: measured(['L/min']) } },
      },
      Concentration: {
        match: { code: concept(LOINC, '3150-0') },
        max: 1,
        elements: { valueQuantity: { elements: measured(['%']) } },
      },
    },
  },
})

const bloodPressure = vital('us-core-blood-pressure', {
  code: { pattern: concept(LOINC, '85354-9') },
  component: { min: 2, slices: { systolic: pressure('8480-6'), diastolic: pressure('8462-4') } },
})

const componentValueOrReason: Invariant = {
  key: 'us-core-26',
  severity: 'error',
  human: 'A component has a value or a dataAbsentReason.',
  holds: (value) => hasChoice(loose(value), 'value') || has(loose(value), 'dataAbsentReason'),
}

/** Since 8.0.0 it stands for itself: an average is no vital sign of R4, which wants 85354-9. */
const averageBloodPressure: Profile = {
  url: `${US_CORE}us-core-average-blood-pressure`,
  id: 'us-core-average-blood-pressure',
  type: 'Observation',
  bases: [],
  elements: {
    category: { min: 1, slices: { VSCat: { match: concept(CATEGORY, 'vital-signs'), min: 1, max: 1 } } },
    code: { pattern: concept(LOINC, '96607-7') },
    subject: { min: 1 },
    'effective[x]': { min: 1, types: ['dateTime', 'Period'] },
    'value[x]': { max: 0 },
    component: {
      min: 2,
      rules: [componentValueOrReason],
      slices: { systolic: pressure('96608-5'), diastolic: pressure('96609-3') },
    },
  },
}

const valueOrReason: Invariant = {
  key: 'us-core-2',
  severity: 'error',
  human: 'Without component or hasMember there is a value or a dataAbsentReason.',
  holds(value) {
    const it = loose(value)
    return has(it, 'component') || has(it, 'hasMember') || has(it, 'dataAbsentReason') || hasChoice(it, 'value')
  },
}

const toTheDay: Invariant = {
  key: 'us-core-1',
  severity: 'error',
  human: 'A time is precise to the day at least.',
  holds: (value) => typeof value !== 'string' || value.length >= 10,
}

const ucumValue: Invariant = {
  key: 'us-core-3',
  severity: 'error',
  human: 'A coded unit of a quantity is of UCUM.',
  holds: (value) => isUcum(value),
}

const snomedResult: Invariant = {
  key: 'us-core-4',
  severity: 'warning',
  human: 'A coded result should use SNOMED CT.',
  holds(value) {
    const systems = list(loose(value).coding).map((item) => loose(item).system)
    return systems.every((system) => system === undefined) || systems.includes(SNOMED)
  },
}

const ucumRange: Invariant = {
  key: 'us-core-22',
  severity: 'error',
  human: 'A coded unit of a reference range is of UCUM.',
  holds: (value) => isUcum(loose(value).low) && isUcum(loose(value).high),
}

const smokingIsCoded: Invariant = {
  key: 'us-core-24',
  severity: 'error',
  human: 'A smoking status (72166-2) or history of tobacco use (11367-0) is a valueCodeableConcept.',
  holds: (value) => !hasCode(value, ['72166-2', '11367-0']) || has(loose(value), 'valueCodeableConcept'),
}

const packYearsAreCounted: Invariant = {
  key: 'us-core-25',
  severity: 'warning',
  human: 'Pack years (401201003, 782516008) should be a valueQuantity.',
  holds: (value) => !hasCode(value, ['401201003', '782516008']) || has(loose(value), 'valueQuantity'),
}

const clinicalResult: Profile = {
  url: `${US_CORE}us-core-observation-clinical-result`,
  id: 'us-core-observation-clinical-result',
  type: 'Observation',
  bases: [],
  rules: [valueOrReason],
  elements: {
    category: { min: 1 },
    subject: { min: 1 },
    effectiveDateTime: { rules: [toTheDay] },
    valueQuantity: { rules: [ucumValue] },
  },
}

const laboratory: Profile = {
  url: `${US_CORE}us-core-observation-lab`,
  id: 'us-core-observation-lab',
  type: 'Observation',
  madeFor: { category: [concept(CATEGORY, 'laboratory')] },
  bases: [clinicalResult.url],
  elements: {
    category: { slices: { 'us-core': { match: concept(CATEGORY, 'laboratory'), min: 1, max: 1 } } },
    valueCodeableConcept: { rules: [snomedResult] },
    referenceRange: { rules: [ucumRange] },
  },
}

const smokingStatus: Profile = {
  url: `${US_CORE}us-core-smokingstatus`,
  id: 'us-core-smokingstatus',
  type: 'Observation',
  madeFor: { code: concept(LOINC, new Set(['72166-2', '11367-0'])) },
  bases: [],
  rules: [smokingIsCoded, packYearsAreCounted],
  elements: {
    status: { fixed: ['final', 'entered-in-error'] },
    category: { min: 1, slices: { SocialHistory: { match: concept(CATEGORY, 'social-history'), min: 1, max: 1 } } },
    subject: { min: 1 },
    'effective[x]': { min: 1 },
    'value[x]': { min: 1 },
  },
}

const screening: Profile = {
  url: `${US_CORE}us-core-observation-screening-assessment`,
  id: 'us-core-observation-screening-assessment',
  type: 'Observation',
  bases: [],
  rules: [valueOrReason],
  elements: {
    category: { min: 1, slices: { survey: { match: concept(CATEGORY, 'survey'), min: 1, max: 1 } } },
    subject: { min: 1 },
    effectiveDateTime: { rules: [toTheDay] },
    valueQuantity: { rules: [ucumValue] },
    hasMember: { targets: ['Observation', 'QuestionnaireResponse', 'MolecularSequence'] },
  },
}

const simple: Profile = {
  url: `${US_CORE}us-core-simple-observation`,
  id: 'us-core-simple-observation',
  type: 'Observation',
  bases: [],
  elements: { category: { min: 1 }, subject: { min: 1 } },
}

const occupation: Profile = {
  url: `${US_CORE}us-core-observation-occupation`,
  id: 'us-core-observation-occupation',
  type: 'Observation',
  bases: [],
  elements: {
    code: { pattern: concept(LOINC, '11341-5') },
    subject: { min: 1 },
    valueCodeableConcept: { min: 1 },
    component: {
      slices: {
        industry: {
          match: { code: concept(LOINC, '86188-0') },
          max: 1,
          elements: { valueCodeableConcept: { min: 1 } },
        },
      },
    },
  },
}

export const usCoreProfiles: readonly Profile[] = [
  ...[vitalSigns, ...single, pulseOximetry, bloodPressure, averageBloodPressure],
  ...[clinicalResult, laboratory, smokingStatus, screening, simple, occupation, ...resourceUsCoreProfiles],
]

function vital(id: string, elements: Elements): Profile {
  return { url: US_CORE + id, id, type: 'Observation', bases: [vitalSigns.url], elements }
}

function coding(loinc: string): Slice {
  return { match: { system: LOINC, code: loinc }, min: 1, max: 1 }
}

function pressure(loinc: string): Slice {
  const valueQuantity: Node = { elements: measured(['mm[Hg]']) }
  return { match: { code: concept(LOINC, loinc) }, min: 1, max: 1, elements: { valueQuantity } }
}

function isUcum(quantity: unknown): boolean {
  const { system } = loose(quantity)
  return system === undefined || system === UCUM
}

function hasCode(observation: unknown, codes: readonly string[]): boolean {
  return list(loose(loose(observation).code).coding).some((item) => codes.includes(loose(item).code as string))
}
