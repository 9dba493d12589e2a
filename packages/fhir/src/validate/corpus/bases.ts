/** Valid resources, written for this corpus: each invalid one is one of these with a single thing changed. */
import type { Resource } from '../../resource.ts'

const LOINC = 'http://loinc.org'
const UCUM = 'http://unitsofmeasure.org'
const MDC = 'urn:iso:std:iso:11073:10101'
const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
const PHD = 'http://hl7.org/fhir/uv/phd/StructureDefinition/'
const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition/'

const vitalSigns = [{ coding: [{ system: CATEGORY, code: 'vital-signs' }] }]
const someone = { reference: 'Patient/p1' }
const now = '2026-03-01T08:00:00Z'

function quantity(value: number, code: string): object {
  return { value, unit: code, system: UCUM, code }
}

function vital(loinc: string, value: object): Resource {
  return {
    resourceType: 'Observation',
    status: 'final',
    category: vitalSigns,
    code: { coding: [{ system: LOINC, code: loinc }] },
    subject: someone,
    effectiveDateTime: now,
    valueQuantity: value,
  }
}

function pressure(loinc: string, value: number): object {
  return { code: { coding: [{ system: LOINC, code: loinc }] }, valueQuantity: quantity(value, 'mm[Hg]') }
}

const bloodPressure = {
  resourceType: 'Observation',
  status: 'final',
  category: vitalSigns,
  code: { coding: [{ system: LOINC, code: '85354-9' }] },
  subject: someone,
  effectiveDateTime: now,
  component: [pressure('8480-6', 121), pressure('8462-4', 79)],
}

function phd(profile: string, code: string, rest: object): Resource {
  return {
    resourceType: 'Observation',
    meta: { profile: [PHD + profile] },
    extension: [
      {
        url: 'http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice',
        valueReference: { reference: 'Device/gateway' },
      },
    ],
    status: 'final',
    category: [{ coding: [{ system: 'http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories', code: 'phd' }] }],
    code: { coding: [{ system: MDC, code }] },
    subject: someone,
    effectiveDateTime: now,
    device: { reference: 'Device/meter' },
    ...rest,
  }
}

function phdIdentifier(code: string, system: string, value: string): object {
  const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers', code }]
  return { type: { coding }, system, value }
}

function mdc(code: string): object {
  return { coding: [{ system: MDC, code }] }
}

export const bases = {
  patient: {
    resourceType: 'Patient',
    id: 'p1',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>One <b>patient</b></p></div>' },
    identifier: [{ use: 'official', system: 'https://example.org/mrn', value: '7' }],
    active: true,
    name: [{ use: 'official', family: 'Ng', given: ['An', 'Bo'], period: { start: '2001-02-03', end: '2020-01-01' } }],
    telecom: [{ system: 'phone', value: '555', use: 'home', rank: 1 }],
    gender: 'female',
    birthDate: '1984-02-29',
    deceasedBoolean: false,
    address: [{ use: 'home', type: 'both', city: 'Utrecht' }],
    maritalStatus: { text: 'married' },
    multipleBirthInteger: 2,
    photo: [{ contentType: 'image/png', data: 'aGVsbG8=' }],
    contact: [{ name: { text: 'Bo' } }],
    communication: [{ language: { text: 'Dutch' }, preferred: true }],
    generalPractitioner: [{ reference: 'Practitioner/d1' }],
    managingOrganization: { reference: 'Organization/o1' },
  },
  observation: {
    resourceType: 'Observation',
    contained: [{ resourceType: 'Device', id: 'meter', deviceName: [{ name: 'Meter', type: 'user-friendly-name' }] }],
    extension: [{ url: 'https://example.org/seen', valueBoolean: true }],
    status: 'final',
    code: { coding: [{ system: LOINC, code: '2339-0' }] },
    subject: someone,
    effectivePeriod: { start: '2026-01-01T10:00:00Z', end: '2026-01-01T10:05:00Z' },
    issued: '2026-01-01T10:06:00.000Z',
    performer: [{ reference: 'Practitioner/d1' }],
    valueQuantity: quantity(96, 'mg/dL'),
    device: { reference: '#meter' },
    note: [{ text: 'before breakfast', time: '2026-01-01' }],
    referenceRange: [{ low: quantity(70, 'mg/dL'), high: quantity(99, 'mg/dL') }],
    component: [{ code: { text: 'strip' }, valueString: 'lot 4' }],
  },
  heartRate: vital('8867-4', quantity(72, '/min')),
  oxygen: vital('2708-6', quantity(97, '%')),
  temperature: vital('8310-5', quantity(36.8, 'Cel')),
  weight: vital('29463-7', quantity(80.5, 'kg')),
  height: vital('8302-2', quantity(181, 'cm')),
  breathing: vital('9279-1', quantity(14, '/min')),
  bmi: vital('39156-5', quantity(24.5, 'kg/m2')),
  bloodPressure,
  vitalsPanel: {
    resourceType: 'Observation',
    status: 'final',
    category: vitalSigns,
    code: { coding: [{ system: LOINC, code: '85353-1' }] },
    subject: someone,
    effectiveDateTime: '2026-03-01',
    hasMember: [{ reference: 'Observation/hr' }],
  },
  waveform: {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'ECG' },
    valueSampledData: { origin: quantity(0, 'mV'), period: 4, factor: 0.01, dimensions: 1, data: '1 2 3 E L U' },
  },
  usCorePressure: { ...bloodPressure, meta: { profile: [`${US_CORE}us-core-blood-pressure|9.0.0`] } },
  usCoreOxygen: {
    ...vital('2708-6', quantity(97, '%')),
    meta: { profile: [`${US_CORE}us-core-pulse-oximetry`] },
    code: {
      coding: [
        { system: LOINC, code: '59408-5' },
        { system: LOINC, code: '2708-6' },
      ],
    },
    component: [{ code: { coding: [{ system: LOINC, code: '3151-8' }] }, valueQuantity: quantity(2, 'L/min') }],
  },
  usCoreLab: {
    resourceType: 'Observation',
    meta: { profile: [`${US_CORE}us-core-observation-lab`] },
    status: 'final',
    category: [{ coding: [{ system: CATEGORY, code: 'laboratory' }] }],
    code: { coding: [{ system: LOINC, code: '2345-7' }] },
    subject: someone,
    effectiveDateTime: now,
    valueQuantity: quantity(96, 'mg/dL'),
    referenceRange: [{ low: quantity(70, 'mg/dL') }],
  },
  usCorePatient: {
    resourceType: 'Patient',
    meta: { profile: [`${US_CORE}us-core-patient`] },
    identifier: [{ system: 'https://example.org/mrn', value: '7' }],
    name: [{ family: 'Ng' }],
  },
  phdNumeric: phd('PhdNumericObservation', '150456', { valueQuantity: quantity(97, '%') }),
  phdCompound: phd('PhdCompoundNumericObservation', '150020', {
    component: [
      { code: mdc('150021'), valueQuantity: quantity(121, 'mm[Hg]') },
      { code: mdc('68193'), valueCodeableConcept: mdc('150588') },
    ],
  }),
  phdCoded: phd('PhdCodedEnumerationObservation', '8417864', { valueCodeableConcept: mdc('8417872') }),
  phdBits: phd('PhdBitsEnumerationObservation', '150604', {
    component: [
      {
        code: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/ASN1ToHL7', code: '150604.2' }] },
        valueBoolean: true,
      },
    ],
  }),
  phdText: phd('PhdStringObservation', '8454252', { valueString: 'Endurance run' }),
  phdWaveform: phd('PhdRtsaObservation', '150452', {
    valueSampledData: { origin: quantity(0, '1'), period: 2, factor: 3, dimensions: 1, data: '123 110' },
  }),
  phdClock: {
    resourceType: 'Observation',
    meta: { profile: [`${PHD}PhdCoincidentTimeStampObservation`] },
    status: 'final',
    code: mdc('67975'),
    subject: { reference: 'Device/meter' },
    effectiveDateTime: now,
    valueDateTime: now,
    device: { reference: 'Device/gateway' },
  },
  phdDevice: {
    resourceType: 'Device',
    meta: { profile: [`${PHD}PhdDevice`] },
    identifier: [
      phdIdentifier('SYSID', 'urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680', '00-11-22-33-44-55-66-77'),
      phdIdentifier('BTMAC', 'http://hl7.org/fhir/sid/eui-48/bluetooth', '00-11-22-33-44-55'),
    ],
    manufacturer: 'Maker',
    modelNumber: 'M1',
    type: mdc('65573'),
    specialization: [{ systemType: mdc('528401'), version: '1' }],
    version: [{ type: mdc('531976'), value: '1.0' }],
    property: [{ type: mdc('68223'), valueQuantity: [quantity(1000, 'us')] }],
  },
  phdMetric: {
    resourceType: 'DeviceMetric',
    meta: { profile: [`${PHD}PhdDeviceMetric`] },
    type: mdc('150020'),
    source: { reference: 'Device/meter' },
    category: 'measurement',
  },
  bundle: {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:0f0ee6fc-7a9c-4bd1-8a56-6f0b6e2d1c11',
        resource: { resourceType: 'Patient', gender: 'male' },
        request: { method: 'POST', url: 'Patient' },
      },
      {
        fullUrl: 'urn:uuid:0f0ee6fc-7a9c-4bd1-8a56-6f0b6e2d1c12',
        resource: {
          ...vital('8867-4', quantity(72, '/min')),
          subject: { reference: 'urn:uuid:0f0ee6fc-7a9c-4bd1-8a56-6f0b6e2d1c11' },
        },
        request: { method: 'POST', url: 'Observation' },
      },
    ],
  },
  document: {
    resourceType: 'Bundle',
    type: 'document',
    identifier: { system: 'https://example.org/documents', value: '1' },
    timestamp: now,
    entry: [
      {
        fullUrl: 'https://example.org/Composition/1',
        resource: {
          resourceType: 'Composition',
          status: 'final',
          type: { text: 'Report' },
          date: '2026-03-01',
          author: [{ reference: 'Practitioner/d1' }],
          title: 'Report',
        },
      },
    ],
  },
  task: {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    priority: 'urgent',
    for: someone,
    authoredOn: '2026-03-01T08:00:00Z',
    lastModified: '2026-03-01T09:00:00Z',
    owner: { reference: 'Practitioner/d1' },
    restriction: { repetitions: 1 },
    input: [{ type: { text: 'alert' }, valueString: 'a' }],
  },
  consent: {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ text: 'sharing' }],
    patient: someone,
    policyRule: { text: 'opt in' },
    provision: { type: 'permit', period: { start: '2026-01-01' } },
  },
  /** Its scopes are of a code system that R4's rules of Consent name: `something`. */
  consentOfMany: {
    resourceType: 'Consent',
    status: 'active',
    scope: {
      coding: ['patient-privacy', 'research', 'adr', 'treatment'].map((code) => ({ system: 'something', code })),
    },
    category: [{ text: 'sharing' }],
    patient: someone,
    policyRule: { text: 'opt in' },
  },
  message: {
    resourceType: 'Bundle',
    type: 'message',
    entry: [
      {
        resource: {
          resourceType: 'MessageHeader',
          eventUri: 'https://example.org/e',
          source: { endpoint: 'https://example.org' },
        },
      },
    ],
  },
  questionnaire: {
    resourceType: 'Questionnaire',
    name: 'Wellbeing',
    status: 'active',
    item: [
      { linkId: '1', type: 'group', item: [{ linkId: '1.1', type: 'choice', answerOption: [{ valueString: 'yes' }] }] },
      { linkId: '2', type: 'display', text: 'Thank you' },
      {
        linkId: '3',
        type: 'string',
        maxLength: 20,
        enableWhen: [{ question: '1.1', operator: 'exists', answerBoolean: true }],
      },
    ],
  },
  questionnaireResponse: {
    resourceType: 'QuestionnaireResponse',
    status: 'completed',
    item: [{ linkId: '1', answer: [{ valueBoolean: true }] }],
  },
  carePlan: {
    resourceType: 'CarePlan',
    status: 'active',
    intent: 'plan',
    subject: someone,
    activity: [{ detail: { status: 'scheduled', description: 'weigh daily' } }],
  },
  goal: {
    resourceType: 'Goal',
    lifecycleStatus: 'active',
    description: { text: 'below 130' },
    subject: someone,
    target: [{ measure: { text: 'systolic' }, detailQuantity: quantity(130, 'mm[Hg]'), dueDate: '2026-12-31' }],
  },
  device: {
    resourceType: 'Device',
    status: 'active',
    deviceName: [{ name: 'Pump', type: 'user-friendly-name' }],
    udiCarrier: [{ carrierHRF: '(01)123', entryType: 'barcode' }],
    expirationDate: '2030-01-01',
    patient: someone,
    url: 'https://example.org/pump',
  },
  encounter: {
    resourceType: 'Encounter',
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR' },
    subject: someone,
    length: { value: 30, unit: 'min', system: UCUM, code: 'min' },
  },
  plan: {
    resourceType: 'PlanDefinition',
    status: 'draft',
    name: 'HeartFailure',
    action: [{ title: 'Weigh', timingTiming: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } } }],
  },
  serviceRequest: {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    code: { text: 'home monitoring' },
    orderDetail: [{ text: 'twice a day' }],
    subject: someone,
    quantityRatio: { numerator: quantity(1, '1'), denominator: quantity(1, 'd') },
  },
  provenance: {
    resourceType: 'Provenance',
    meta: { profile: [`${US_CORE}us-core-provenance`] },
    target: [{ reference: 'Observation/o1' }],
    recorded: '2026-03-01T08:00:00Z',
    agent: [{ who: { reference: 'Practitioner/d1' }, onBehalfOf: { reference: 'Organization/o1' } }],
  },
  auditEvent: {
    resourceType: 'AuditEvent',
    type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
    action: 'R',
    recorded: '2026-03-01T08:00:00Z',
    outcome: '0',
    agent: [{ requestor: true, who: { reference: 'Practitioner/d1' } }],
    source: { observer: { reference: 'Device/server' } },
    entity: [{ name: 'query' }],
  },
  subscription: {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'alerts',
    criteria: 'Observation?code=8867-4',
    channel: { type: 'rest-hook', endpoint: 'https://example.org/hook', payload: 'application/fhir+json' },
  },
  group: { resourceType: 'Group', type: 'person', actual: true, member: [{ entity: someone }] },
  organization: {
    resourceType: 'Organization',
    name: 'Clinic',
    telecom: [{ system: 'phone', value: '555', use: 'work' }],
    address: [{ use: 'work', city: 'Utrecht' }],
  },
  careTeam: {
    resourceType: 'CareTeam',
    contained: [
      { resourceType: 'Practitioner', id: 'd', active: true },
      { resourceType: 'Patient', id: 'p', active: true },
    ],
    subject: { reference: '#p' },
    participant: [{ member: { reference: '#d' }, onBehalfOf: { reference: 'Organization/o1' } }],
  },
  flag: { resourceType: 'Flag', status: 'active', code: { text: 'falls' }, subject: someone },
  detectedIssue: { resourceType: 'DetectedIssue', status: 'final', severity: 'high', patient: someone },
  communication: { resourceType: 'Communication', status: 'completed', payload: [{ contentString: 'call back' }] },
  location: { resourceType: 'Location', name: 'Ward', position: { longitude: 5.1, latitude: 52.1 }, status: 'active' },
  relatedPerson: { resourceType: 'RelatedPerson', patient: someone, name: [{ text: 'Bo' }] },
  practitionerRole: {
    resourceType: 'PractitionerRole',
    availableTime: [{ daysOfWeek: ['mon'], availableStartTime: '08:00:00' }],
  },
  deviceUse: {
    resourceType: 'DeviceUseStatement',
    status: 'active',
    subject: someone,
    device: { reference: 'Device/pump' },
  },
  binary: { resourceType: 'Binary', contentType: 'application/pdf', data: 'aGVsbG8=' },
  outcome: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid' }] },
  parameters: {
    resourceType: 'Parameters',
    parameter: [
      { name: 'mode', valueCode: 'create' },
      { name: 'set', part: [{ name: 'a', valueInteger: 1 }] },
    ],
  },
} satisfies Readonly<Record<string, Resource>>

export type Base = keyof typeof bases
