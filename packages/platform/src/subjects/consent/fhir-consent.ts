/**
 * A consent as FHIR R4 says it, which is the record, and the words that decide, read from it again.
 * Nothing is shared unless somebody permits it, so the base rule is OPTOUT and the one nested provision says what is permitted or
 * refused: R4 wants `type` in nested provisions only.
 */
import type { ConsentPurpose, ConsentVerification, GranteeKind, Part2Label, SignalClass } from '@careloop/contract'
import type { ConsentTerms } from './decide.ts'

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const actReason = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'
const signalClass = 'urn:careloop:signal-class'
const granteeSystem = 'urn:careloop:grantee:'
const verifiedHow = 'urn:careloop:consent-verified-how'
const verifiedNote = 'urn:careloop:consent-verified-note'

interface Coding {
  readonly system: string
  readonly code: string
}
interface Concept {
  readonly coding: readonly Coding[]
}
interface Period {
  readonly start: string
  readonly end?: string
}
interface Actor {
  readonly role: Concept
  readonly reference: { readonly type?: string; readonly identifier?: Identifier; readonly display?: string }
}
interface Identifier {
  readonly system: string
  readonly value: string
}

/** The part of FHIR R4 Consent that is written here. */
export interface FhirConsent {
  readonly resourceType: 'Consent'
  readonly id: string
  readonly meta: { readonly versionId: string; readonly lastUpdated: string; readonly security?: readonly Coding[] }
  readonly extension: readonly { readonly url: string; readonly valueCode?: string; readonly valueString?: string }[]
  readonly status: 'active' | 'inactive' | 'entered-in-error'
  readonly scope: Concept
  readonly category: readonly Concept[]
  readonly patient: { readonly reference: string }
  readonly dateTime: string
  readonly performer: readonly { readonly reference: string }[]
  readonly policy?: readonly { readonly authority: string; readonly uri: string }[]
  readonly policyRule: Concept
  readonly verification: readonly { readonly verified: boolean; readonly verificationDate: string }[]
  readonly provision: {
    readonly period: Period
    readonly provision: readonly [Provision]
  }
}
interface Provision {
  readonly type: 'permit' | 'deny'
  readonly period: Period
  readonly actor: readonly Actor[]
  readonly action: readonly Concept[]
  readonly securityLabel?: readonly Coding[]
  readonly purpose?: readonly Coding[]
  readonly class?: readonly Coding[]
}

/** What was taken down, before it has a version. */
export interface ConsentContent {
  readonly id: string
  readonly subject: string
  readonly decision: 'permit' | 'deny'
  readonly grantee: { readonly kind: GranteeKind; readonly id: string | null }
  readonly classes: readonly SignalClass[]
  readonly purposes: readonly ConsentPurpose[]
  readonly labels: readonly Part2Label[]
  readonly from: number
  readonly until: number | null
  readonly verification: { readonly how: ConsentVerification; readonly note?: string | undefined }
  readonly recordedAt: number
}

const iso = (ms: number): string => new Date(ms).toISOString()
const concept = (system: string, code: string): Concept => ({ coding: [{ system, code }] })
const codings = (system: string, codes: readonly string[]): Coding[] => codes.map((code) => ({ system, code }))

export function toFhir(content: ConsentContent): FhirConsent {
  const { id, subject, from, until, labels, verification, recordedAt } = content
  const period: Period = { start: iso(from), ...(until === null ? {} : { end: iso(until) }) }
  const { note } = verification
  return {
    ...{ resourceType: 'Consent', id, status: 'active' },
    meta: {
      ...{ versionId: '1', lastUpdated: iso(recordedAt) },
      // That somebody is treated for substance use follows from the record itself: it bears the label too.
      ...(labels.length === 0 ? {} : { security: codings(actCode, labels) }),
    },
    extension: [
      { url: verifiedHow, valueCode: verification.how },
      ...(note === undefined ? [] : [{ url: verifiedNote, valueString: note }]),
    ],
    scope: concept(
      'http://terminology.hl7.org/CodeSystem/consentscope',
      content.grantee.kind === 'research' ? 'research' : 'patient-privacy',
    ),
    category: [concept('http://loinc.org', '59284-0'), concept(actCode, 'IDSCL')],
    patient: { reference: `Patient/${subject}` },
    dateTime: iso(recordedAt),
    performer: [{ reference: `Patient/${subject}` }],
    ...(labels.length === 0
      ? {}
      : { policy: [{ authority: 'https://www.hhs.gov', uri: 'https://www.ecfr.gov/current/title-42/part-2' }] }),
    policyRule: {
      coding: [
        { system: actCode, code: 'OPTOUT' },
        { system: 'http://terminology.hl7.org/CodeSystem/consentpolicycodes', code: 'hipaa-auth' },
      ],
    },
    verification: [{ verified: true, verificationDate: iso(recordedAt) }],
    provision: { period, provision: [provisionOf(content, period)] },
  }
}

function provisionOf({ decision, grantee, classes, purposes, labels }: ConsentContent, period: Period): Provision {
  return {
    ...{ type: decision, period },
    actor: [
      {
        role: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
        reference:
          grantee.id === null
            ? { display: 'Whoever treats, pays for or runs this care' }
            : {
                type: typeOf[grantee.kind],
                identifier: { system: `${granteeSystem}${grantee.kind}`, value: grantee.id },
              },
      },
    ],
    action: ['access', 'disclose'].map((code) => concept('http://terminology.hl7.org/CodeSystem/consentaction', code)),
    ...(labels.length === 0 ? {} : { securityLabel: codings(actCode, labels) }),
    ...(purposes.length === 0 ? {} : { purpose: codings(actReason, purposes) }),
    ...(classes.length === 0 ? {} : { class: codings(signalClass, classes) }),
  }
}

/** R4 lets an actor be one of these; a study stands for the organisation that runs it. */
const typeOf: Readonly<Record<GranteeKind, string>> = {
  caregiver: 'RelatedPerson',
  integration: 'Device',
  research: 'Organization',
  treatment: 'Organization',
}

/** The next version: withdrawn, or never rightly there. */
export const ended = (
  consent: FhirConsent,
  status: 'inactive' | 'entered-in-error',
  at: number,
  version: number,
): FhirConsent => ({
  ...consent,
  status,
  meta: { ...consent.meta, versionId: String(version), lastUpdated: iso(at) },
})

/** What stands in the row beside the sealed record. */
export interface ConsentState {
  readonly id: string
  readonly status: ConsentTerms['status']
  readonly grantee: ConsentTerms['grantee']
  readonly from: number
  readonly until: number | null
  readonly endedAt: number | null
}

export function termsOf(state: ConsentState, { provision }: FhirConsent): ConsentTerms {
  const [said] = provision.provision
  return {
    ...state,
    decision: said.type,
    classes: codesOf<SignalClass>(said.class, signalClass),
    purposes: codesOf<ConsentPurpose>(said.purpose, actReason),
    labels: codesOf<Part2Label>(said.securityLabel, actCode),
  }
}

const codesOf = <Code extends string>(found: readonly Coding[] | undefined, system: string): Code[] =>
  (found ?? []).filter((coding) => coding.system === system).map(({ code }) => code as Code)

export function verificationOf({ extension }: FhirConsent): { how: ConsentVerification; note?: string } {
  const note = extension.find(({ url }) => url === verifiedNote)?.valueString
  const how = extension.find(({ url }) => url === verifiedHow)!.valueCode as ConsentVerification
  return { how, ...(note === undefined ? {} : { note }) }
}
