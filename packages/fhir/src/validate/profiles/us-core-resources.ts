/** US Core's profiles of people, places, plans and orders. */
import { has, type Invariant, list, loose } from '../invariant.ts'
import type { Frame } from '../run.ts'
import { concept, type Elements, type Profile } from './profile.ts'

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition/'
const RACE = `${US_CORE}us-core-race`
const ABSENT = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason'
const CVX = 'http://hl7.org/fhir/sid/cvx'
const NDC = 'http://hl7.org/fhir/sid/ndc'
const ORDERS: ReadonlySet<unknown> = new Set([
  'order',
  'original-order',
  'reflex-order',
  'filler-order',
  'instance-order',
])

const named = rule(
  'us-core-6',
  'A name has a family or given part, or else says why it is absent (data-absent-reason).',
  (it) => {
    const isAbsent = list(it.extension).some((extension) => loose(extension).url === ABSENT)
    return (has(it, 'family') || has(it, 'given')) !== isAbsent
  },
)

/** Asked but unknown, or unknown: then nothing else is known. */
const raceUnknownAlone = rule('us-core-23', 'With ASKU or UNK no other category of race stands.', (it) => {
  const codes = list(it.extension)
    .map(loose)
    .filter((part) => part.url === 'ombCategory')
    .map((part) => loose(part.valueCoding).code)
  return codes.length < 2 || !codes.some((code) => code === 'ASKU' || code === 'UNK')
})

const onBehalfOf = rule(
  'provenance-1',
  'An agent that is a Practitioner or Device says on whose behalf: onBehalfOf.',
  (it, frame) => {
    return !isOnePerson(loose(it.who), frame) || has(it, 'onBehalfOf')
  },
)

const requested = rule(
  'us-core-21',
  'An order says who requested it: requester.',
  (it) => !ORDERS.has(it.intent) || has(it, 'requester'),
)

const translated: Invariant = {
  ...rule('us-core-5', 'A vaccine coded by CVX should have a translation to NDC.', (it) => {
    const systems = list(loose(it.vaccineCode).coding).map((item) => loose(item).system)
    return !systems.includes(CVX) || systems.includes(NDC)
  }),
  severity: 'warning',
}

const roleOfSomebody = rule(
  'pd-1',
  'A role names practitioner, organization, healthcareService or location.',
  (it) => has(it, 'practitioner') || has(it, 'organization') || has(it, 'healthcareService') || has(it, 'location'),
)

const relatedSomehow = rule(
  'us-core-14',
  'A related person has a name or a relationship.',
  (it) => has(it, 'name') || has(it, 'relationship'),
)

export const resourceUsCoreProfiles: readonly Profile[] = [
  profile('us-core-patient', 'Patient', {
    extension: { slices: { race: { match: { url: RACE }, max: 1, rules: [raceUnknownAlone] } } },
    identifier: { min: 1, elements: { system: { min: 1 }, value: { min: 1 } } },
    name: { min: 1, rules: [named] },
    telecom: { elements: { system: { min: 1 }, value: { min: 1 } } },
  }),
  profile('us-core-practitioner', 'Practitioner', {
    identifier: { min: 1, elements: { system: { min: 1 }, value: { min: 1 } } },
    name: { min: 1, elements: { family: { min: 1 } } },
  }),
  profile('us-core-practitionerrole', 'PractitionerRole', {}, [roleOfSomebody]),
  profile('us-core-relatedperson', 'RelatedPerson', { active: { min: 1 }, patient: { min: 1 } }, [relatedSomehow]),
  profile('us-core-organization', 'Organization', { active: { min: 1 }, name: { min: 1 } }),
  profile('us-core-location', 'Location', { name: { min: 1 } }),
  profile('us-core-careteam', 'CareTeam', {
    subject: { min: 1, targets: ['Patient'] },
    participant: { min: 1, elements: { role: { min: 1 }, member: { min: 1 } } },
  }),
  profile('us-core-careplan', 'CarePlan', {
    subject: { targets: ['Patient', 'Group'] },
    category: {
      slices: {
        AssessPlan: {
          match: concept('http://hl7.org/fhir/us/core/CodeSystem/careplan-category', 'assess-plan'),
          max: 1,
        },
      },
    },
  }),
  profile('us-core-goal', 'Goal', { subject: { targets: ['Patient'] } }),
  profile('us-core-device', 'Device', { type: { min: 1 }, patient: { min: 1 } }),
  profile('us-core-implantable-device', 'Device', { type: { min: 1 }, patient: { min: 1 } }),
  profile('us-core-encounter', 'Encounter', { type: { min: 1 }, subject: { min: 1, targets: ['Patient'] } }),
  profile('us-core-servicerequest', 'ServiceRequest', {
    code: { min: 1 },
    subject: { targets: ['Patient', 'Group', 'Location', 'Device'] },
  }),
  profile('us-core-questionnaireresponse', 'QuestionnaireResponse', {
    questionnaire: { min: 1 },
    subject: { min: 1, targets: ['Patient'] },
    authored: { min: 1 },
  }),
  profile('us-core-provenance', 'Provenance', { agent: { rules: [onBehalfOf] } }),
  profile('us-core-medicationrequest', 'MedicationRequest', { subject: { targets: ['Patient', 'Group'] } }, [
    requested,
  ]),
  profile('us-core-immunization', 'Immunization', {}, [translated]),
]

function profile(id: string, type: string, elements: Elements, rules: readonly Invariant[] = []): Profile {
  return { url: US_CORE + id, id, type, bases: [], rules, elements }
}

function rule(key: string, human: string, holds: (it: ReturnType<typeof loose>, frame: Frame) => boolean): Invariant {
  return { key, severity: 'error', human, holds: (value, frame) => holds(loose(value), frame) }
}

/** `who` resolves to a Practitioner or Device: by its literal reference, or what is contained. */
function isOnePerson(who: ReturnType<typeof loose>, frame: Frame): boolean {
  const { reference } = who
  if (typeof reference !== 'string') return false
  if (!reference.startsWith('#')) return /(?:^|\/)(?:Practitioner|Device)\/[^/]+$/.test(reference)
  const found = frame.names.containedIn(frame.root, reference.slice(1))
  return ['Practitioner', 'Device'].includes(found?.resourceType as string)
}
