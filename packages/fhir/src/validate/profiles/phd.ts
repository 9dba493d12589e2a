/**
 * The profiles of HL7's Personal Health Device guide, as its examples follow them (2.x; where 1.1 differs and a gateway
 * may still send that, both are taken: the category `phd-observation`, bits as CodeableConcept).
 */
import { has, type Invariant, list, loose } from '../invariant.ts'
import { ANY, concept, type Elements, type Node, oneCoding, type Profile, type Slice } from './profile.ts'

const PHD = 'http://hl7.org/fhir/uv/phd/StructureDefinition/'
const MDC = 'urn:iso:std:iso:11073:10101'
const UCUM = 'http://unitsofmeasure.org'
const CATEGORY = 'http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories'
const STATUS = 'http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status'
const ABSENT = 'http://terminology.hl7.org/CodeSystem/data-absent-reason'
const BASE = `${PHD}PhdBaseObservation`

/** Code systems of the guide have moved to terminology.hl7.org. */
const ASN1 = new Set([
  'http://terminology.hl7.org/CodeSystem/ASN1ToHL7',
  'http://hl7.org/fhir/uv/phd/CodeSystem/ASN1ToHL7',
])
const IDENTIFIERS = new Set([
  'http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers',
  'http://hl7.org/fhir/uv/phd/CodeSystem/ContinuaDeviceIdentifiers',
])
const SUPPLEMENTAL = { code: concept(MDC, '68193') }
const CLOCKS = new Set(['67975', '68226', '67983', '68072'])
const QUANTITIES = new Set(['68073', '67914', '68222', '68226', '68223', '68224', '68221', '68229'])
const CODED_LISTS = new Set(['68220', '532353', '532355'])

const ABSENT_REASONS = [
  ...[
    'unknown',
    'asked-unknown',
    'temp-unknown',
    'not-asked',
    'asked-declined',
    'masked',
    'not-applicable',
    'unsupported',
  ],
  ...['as-text', 'error', 'not-a-number', 'negative-infinity', 'positive-infinity', 'not-performed', 'not-permitted'],
]

const mdcPreferred: Invariant = {
  key: 'mdc-1',
  severity: 'warning',
  human: 'A published MDC code is preferred; private codes are allowed.',
  holds: (value) => list(loose(value).coding).some((coding) => loose(coding).system === MDC),
}

const mdcOrUcum: Invariant = {
  key: 'system-is-mdc-or-ucum',
  severity: 'error',
  human: 'The system of the unit is that of UCUM or MDC.',
  holds: (value) => value === MDC || value === UCUM,
}

/** Partition 4 of the nomenclature holds the dimensions. */
const mdcDimension: Invariant = {
  key: 'phd-dim-code',
  severity: 'error',
  human: 'A unit of MDC is a code of its dimensions: 262144 to 327679.',
  holds(value) {
    const { system, code } = loose(value)
    return system !== MDC || (/^\d{6}$/.test(String(code)) && Number(code) >= 262_144 && Number(code) <= 327_679)
  },
}

/** A gateway that knows nobody sends an identifier of type U and nothing more, as the guide's second example does. */
const knownPatientIsNamed: Invariant = {
  key: 'PhdPatient.identifier',
  severity: 'error',
  human: 'An identifier has system and value, unless its type says that the patient is unknown (U).',
  holds(value) {
    const it = loose(value)
    const isUnknown = list(loose(it.type).coding).some((coding) => loose(coding).code === 'U')
    return isUnknown || (has(it, 'system') && has(it, 'value'))
  },
}

const absentReason: Node = {
  elements: { coding: { elements: { system: { fixed: ABSENT }, code: { fixed: ABSENT_REASONS } } } },
}

const measuredQuantity: Node = {
  rules: [mdcDimension],
  elements: { value: { min: 1 }, system: { min: 1, rules: [mdcOrUcum] }, code: { min: 1 } },
}

const interpretation: Node = { elements: { coding: oneCoding('MsmtStatusInterpretation', STATUS) } }

const base: Profile = {
  url: BASE,
  id: 'PhdBaseObservation',
  type: 'Observation',
  bases: [],
  elements: {
    meta: { min: 1 },
    extension: {
      slices: {
        GatewayDevice: extension('http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice', 'Device', 1),
        CoincidentTimeStamp: extension(`${PHD}CoincidentTimeStampReference`, 'Observation', 0),
      },
    },
    identifier: { slices: { conditionalCreate: { match: { value: ANY, system: null, type: null }, max: 1 } } },
    category: {
      slices: { 'PHD-Observation': { match: concept(CATEGORY, new Set(['phd', 'phd-observation'])), min: 1, max: 1 } },
    },
    code: { rules: [mdcPreferred] },
    subject: { min: 1, targets: ['Patient', 'Device'] },
    'effective[x]': { min: 1, types: ['dateTime', 'Period'] },
    interpretation,
    device: { min: 1, targets: ['Device'], elements: { reference: { min: 1 } } },
    component: {
      slices: {
        supplementalTypesComponent: {
          match: SUPPLEMENTAL,
          elements: {
            'value[x]': { min: 1, types: ['CodeableConcept'] },
            valueCodeableConcept: { elements: { coding: oneCoding('MDCType', MDC) } },
            dataAbsentReason: { max: 0 },
          },
        },
      },
    },
    dataAbsentReason: absentReason,
  },
}

const numeric = observation('PhdNumericObservation', {
  'value[x]': { types: ['Quantity'] },
  valueQuantity: measuredQuantity,
})

const compoundNumeric = observation('PhdCompoundNumericObservation', {
  'value[x]': { max: 0 },
  component: {
    slices: {
      compound: {
        match: { code: concept(MDC) },
        except: SUPPLEMENTAL,
        elements: {
          code: { elements: { coding: oneCoding('MdcType', MDC) } },
          'value[x]': { types: ['Quantity'] },
          valueQuantity: measuredQuantity,
          dataAbsentReason: absentReason,
          interpretation,
        },
      },
    },
  },
})

const compound = observation('PhdCompoundObservation', {
  'value[x]': { max: 0 },
  component: {
    elements: { 'value[x]': { types: ['Quantity', 'CodeableConcept', 'string', 'SampledData'] } },
    slices: {
      measurement: {
        match: { code: concept(MDC) },
        except: SUPPLEMENTAL,
        elements: {
          valueQuantity: measuredQuantity,
          valueCodeableConcept: { elements: { coding: { ...oneCoding('MdcType', MDC), min: 1, max: 1 } } },
          valueSampledData: { elements: { factor: { min: 1 }, lowerLimit: { min: 1 }, upperLimit: { min: 1 } } },
          dataAbsentReason: absentReason,
        },
      },
    },
  },
})

const codedEnumeration = observation('PhdCodedEnumerationObservation', {
  'value[x]': { types: ['CodeableConcept'] },
  valueCodeableConcept: { elements: { coding: oneCoding('MDCType', MDC) } },
})

const bits = observation('PhdBitsEnumerationObservation', {
  'value[x]': { max: 0 },
  component: {
    slices: {
      bitsComponent: {
        match: { code: concept(ASN1) },
        elements: {
          'value[x]': { types: ['boolean', 'CodeableConcept'] },
          dataAbsentReason: { elements: { coding: { elements: { code: { fixed: 'unsupported' } } } } },
        },
      },
    },
  },
})

const text = observation('PhdStringObservation', { 'value[x]': { types: ['string'] } })
const textEnumeration = observation('PhdStringEnumerationObservation', { 'value[x]': { min: 1, types: ['string'] } })

const waveform = observation('PhdRtsaObservation', {
  'value[x]': { types: ['SampledData'] },
  valueSampledData: {
    elements: {
      origin: { elements: { value: { min: 1 }, system: { min: 1, fixed: UCUM }, code: { min: 1 } } },
      factor: { min: 1 },
    },
  },
})

const coincidentTime: Profile = {
  url: `${PHD}PhdCoincidentTimeStampObservation`,
  id: 'PhdCoincidentTimeStampObservation',
  type: 'Observation',
  bases: [],
  elements: {
    status: { fixed: 'final' },
    code: { elements: { coding: { slices: { MDCType: { match: { system: MDC, code: CLOCKS }, min: 1, max: 1 } } } } },
    subject: { min: 1, targets: ['Device'], elements: { reference: { min: 1 } } },
    'value[x]': { types: ['dateTime', 'Quantity'] },
    component: {
      slices: {
        clockSyncMethod: { match: { code: concept(MDC, '68220') }, max: 1, elements: { dataAbsentReason: { max: 0 } } },
      },
    },
    device: { min: 1, targets: ['Device'], elements: { reference: { min: 1 } } },
    derivedFrom: { max: 0 },
    hasMember: { max: 0 },
    specimen: { max: 0 },
    focus: { max: 0 },
  },
}

const deviceIdentifiers: Node = {
  slices: {
    systemIdIdentifier: { ...identifier('SYSID', 'urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680'), min: 1 },
    btmacAddressIdentifier: identifier('BTMAC', 'http://hl7.org/fhir/sid/eui-48/bluetooth'),
    macAddressIdentifier: identifier('ETHMAC', 'http://hl7.org/fhir/sid/eui-48/ethernet'),
  },
}

const bitProperties: Slice = {
  match: { type: concept(ASN1) },
  elements: {
    type: { elements: { coding: { min: 1, max: 1 } } },
    valueQuantity: { max: 0 },
    valueCode: {
      min: 1,
      max: 1,
      elements: { coding: oneCoding('V2Binary', 'http://terminology.hl7.org/CodeSystem/v2-0136') },
    },
  },
}

const codedListProperties: Slice = {
  match: { type: concept(MDC, CODED_LISTS) },
  elements: {
    valueQuantity: { max: 0 },
    valueCode: { min: 1, elements: { coding: { min: 1, elements: { system: { min: 1 }, code: { min: 1 } } } } },
  },
}

const personalDevice: Profile = {
  url: `${PHD}PhdDevice`,
  id: 'PhdDevice',
  type: 'Device',
  bases: [],
  elements: {
    identifier: deviceIdentifiers,
    manufacturer: { min: 1 },
    modelNumber: { min: 1 },
    type: { min: 1, elements: { coding: oneCoding('MDCType', MDC, { code: { min: 1, fixed: '65573' } }) } },
    specialization: {
      min: 1,
      elements: { systemType: { elements: { coding: oneCoding('MDCType', MDC) } }, version: { min: 1 } },
    },
    version: { elements: { type: { min: 1, elements: { coding: oneCoding('MDCType', MDC) } } } },
    property: {
      slices: {
        bitProperties,
        quantitiesProperty: {
          match: { type: concept(MDC, QUANTITIES) },
          elements: {
            valueQuantity: {
              min: 1,
              max: 1,
              elements: { system: { min: 1, fixed: UCUM }, code: { min: 1, fixed: 'us' } },
            },
            valueCode: { max: 0 },
          },
        },
        codedListProperties,
      },
    },
  },
}

const gateway: Profile = {
  url: `${PHD}PhgDevice`,
  id: 'PhgDevice',
  type: 'Device',
  bases: [],
  elements: {
    identifier: deviceIdentifiers,
    type: { min: 1, elements: { coding: oneCoding('MDCType', MDC, { code: { min: 1, fixed: '531981' } }) } },
    specialization: { elements: { systemType: { elements: { coding: oneCoding('MDCType', MDC) } } } },
    version: { min: 1, elements: { type: { min: 1, elements: { coding: oneCoding('MDCType', MDC) } } } },
    property: {
      min: 1,
      slices: {
        bitProperties,
        quantitiesProperty: {
          match: { type: concept(MDC, QUANTITIES) },
          elements: { valueQuantity: { min: 1, max: 1 }, valueCode: { max: 0 } },
        },
        codedListProperties,
      },
    },
  },
}

const metric: Profile = {
  url: `${PHD}PhdDeviceMetric`,
  id: 'PhdDeviceMetric',
  type: 'DeviceMetric',
  bases: [],
  elements: {
    type: { elements: { coding: oneCoding('MDCType', MDC) } },
    source: { targets: ['Device'] },
  },
}

const patient: Profile = {
  url: `${PHD}PhdPatient`,
  id: 'PhdPatient',
  type: 'Patient',
  bases: [],
  elements: {
    identifier: {
      min: 1,
      elements: {
        type: { min: 1, elements: { coding: oneCoding('v2Coding', 'http://terminology.hl7.org/CodeSystem/v2-0203') } },
      },
      rules: [knownPatientIsNamed],
    },
  },
}

export const phdProfiles: readonly Profile[] = [
  ...[
    base,
    numeric,
    compoundNumeric,
    compound,
    codedEnumeration,
    bits,
    text,
    textEnumeration,
    waveform,
    coincidentTime,
  ],
  ...[personalDevice, gateway, metric, patient],
]

function observation(id: string, elements: Elements): Profile {
  return { url: PHD + id, id, type: 'Observation', bases: [BASE], elements }
}

function extension(url: string, target: string, min: number): Slice {
  return {
    match: { url },
    min,
    max: 1,
    elements: { 'value[x]': { min: 1, types: ['Reference'] }, valueReference: { targets: [target] } },
  }
}

function identifier(code: string, system: string): Slice {
  return {
    match: { type: concept(IDENTIFIERS, code) },
    max: 1,
    elements: { system: { min: 1, fixed: system }, value: { min: 1 } },
  }
}
