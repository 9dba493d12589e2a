/**
 * An entry as FHIR R4 AuditEvent, shaped by IHE "Basic Audit Log Patterns" 1.1: for whoever collects trails of many systems. Pure; the
 * entry is the record, this is a view of it. Sealed details stay where they are.
 */
import type { AuditAction, RecordedEntry } from '../entry.ts'

export interface Coding {
  readonly system: string
  readonly code: string
  readonly display?: string
}

interface Concept {
  readonly coding: readonly Coding[]
}

interface Named {
  readonly reference?: string
  readonly identifier?: { readonly system?: string; readonly value: string }
}

export interface AuditEvent {
  readonly resourceType: 'AuditEvent'
  readonly id: string
  readonly type: Coding
  readonly subtype: readonly Coding[]
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E'
  readonly recorded: string
  /** 0 success, 4 refused, 8 went wrong. */
  readonly outcome: '0' | '4' | '8'
  readonly purposeOfEvent: readonly Concept[]
  readonly agent: readonly {
    readonly type: Concept
    readonly who: Named
    readonly requestor: boolean
    readonly purposeOfUse?: readonly Concept[]
  }[]
  readonly source: { readonly observer: Named; readonly type: readonly Coding[] }
  readonly entity: readonly {
    readonly what: Named
    readonly type: Coding
    readonly role?: Coding
    readonly detail?: readonly { readonly type: string; readonly valueString: string }[]
  }[]
}

export type EventEntry = Omit<RecordedEntry, 'detail' | 'times'> & { readonly tenant: string; readonly times?: number }

const HL7 = 'http://terminology.hl7.org/CodeSystem'
const rest: Coding = { system: `${HL7}/audit-event-type`, code: 'rest', display: 'RESTful Operation' }
const interaction = (code: string): Coding => ({ system: 'http://hl7.org/fhir/restful-interaction', code })
const dicom = (code: string, display: string): Coding => ({
  ...{ system: 'http://dicom.nema.org/resources/ontology/DCM', code, display },
})
const lifecycle = (code: string): Coding => ({ system: `${HL7}/iso-21089-lifecycle`, code })

interface Shape {
  readonly type: Coding
  readonly subtype: Coding
  readonly action: AuditEvent['action']
}

const authentication = dicom('110114', 'User Authentication')
const securityAlert = dicom('110113', 'Security Alert')
const exportType = dicom('110106', 'Export')

/** Acts that FHIR has no word for are executions, told apart by a DICOM or ISO 21089 code. */
const shapes: Readonly<Record<AuditAction, Shape>> = {
  create: { type: rest, subtype: interaction('create'), action: 'C' },
  read: { type: rest, subtype: interaction('read'), action: 'R' },
  update: { type: rest, subtype: interaction('update'), action: 'U' },
  delete: { type: rest, subtype: interaction('delete'), action: 'D' },
  search: { type: rest, subtype: interaction('search'), action: 'E' },
  assign: { type: rest, subtype: lifecycle('link'), action: 'U' },
  correct: { type: rest, subtype: lifecycle('amend'), action: 'U' },
  revoke: { type: rest, subtype: lifecycle('deprecate'), action: 'U' },
  execute: { type: rest, subtype: interaction('operation'), action: 'E' },
  export: { type: exportType, subtype: lifecycle('disclose'), action: 'R' },
  print: { type: exportType, subtype: lifecycle('report'), action: 'R' },
  login: { type: authentication, subtype: dicom('110122', 'Login'), action: 'E' },
  logout: { type: authentication, subtype: dicom('110123', 'Logout'), action: 'E' },
  denied: { type: securityAlert, subtype: dicom('110132', 'Use of Restricted Function'), action: 'E' },
  consent: { type: securityAlert, subtype: dicom('110135', 'Object Security Attributes Changed'), action: 'U' },
  configure: { type: securityAlert, subtype: dicom('110131', 'Software Configuration'), action: 'U' },
}

const outcomes = { success: '0', denied: '4', failed: '8' } as const
const entityType = (code: string, display: string): Coding => ({ system: `${HL7}/audit-entity-type`, code, display })
const role = (code: string, display: string): Coding => ({ system: `${HL7}/object-role`, code, display })

export function toAuditEvent(entry: EventEntry): AuditEvent {
  const { type, subtype, action } = shapes[entry.action]
  const why: Concept[] = [{ coding: [{ system: `${HL7}/v3-ActReason`, code: entry.purpose }] }]
  return {
    ...{ resourceType: 'AuditEvent', id: entry.id, type, subtype: [subtype], action },
    recorded: new Date(entry.at).toISOString(),
    outcome: outcomes[entry.outcome],
    purposeOfEvent: why,
    agent: [
      {
        type: { coding: [{ system: `${HL7}/v3-ParticipationType`, code: 'IRCP', display: 'information recipient' }] },
        who: whoOf(entry.actor),
        requestor: true,
        purposeOfUse: why,
      },
      { type: { coding: [serverRole(action)] }, who: { identifier: { value: 'careloop' } }, requestor: false },
    ],
    source: {
      observer: { identifier: { value: `careloop/${entry.tenant}` } },
      type: [{ system: `${HL7}/security-source-type`, code: '4', display: 'Application Server' }],
    },
    entity: entitiesOf(entry),
  }
}

/** Who gives and who takes the data: of a read the server is the source, of a change the destination. */
const serverRole = (action: AuditEvent['action']): Coding =>
  action === 'R' || action === 'E' ? dicom('110153', 'Source Role ID') : dicom('110152', 'Destination Role ID')

/** Opaque ids: which person it is stands in identity, for who may know. */
function whoOf(actor: string): Named {
  const [kind = '', id] = actor.split(':', 2)
  if (id === undefined) return { identifier: { system: 'urn:careloop:actor', value: actor } }
  if (kind === 'device') return { reference: `Device/${id}` }
  if (kind === 'patient') return { reference: `Patient/${id}` }
  return { identifier: { system: `urn:careloop:${kind}`, value: id } }
}

function entitiesOf(entry: EventEntry): AuditEvent['entity'] {
  const { subject, resource, resourceId, requestId, times = 1 } = entry
  const patient = {
    what: { reference: `Patient/${subject}` },
    type: entityType('1', 'Person'),
    role: role('1', 'Patient'),
  }
  const data = {
    what: { identifier: { system: `urn:careloop:${resource}`, value: resourceId ?? '*' } },
    type: entityType('2', 'System Object'),
    role: entry.action === 'search' ? role('24', 'Query') : role('4', 'Domain Resource'),
    ...(times > 1 ? { detail: [{ type: 'times', valueString: String(times) }] } : {}),
  }
  const request = {
    what: { identifier: { value: requestId ?? '' } },
    type: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
  }
  return [...(subject === null ? [] : [patient]), data, ...(requestId === null ? [] : [request])]
}
