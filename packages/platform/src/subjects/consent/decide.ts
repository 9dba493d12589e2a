/**
 * Who may see what of a person: one pure decision for reads, streams, notifications and exports. What is not said is refused;
 * a refusal that was said goes before every permission; the order in which consents were given does not matter.
 */
import type { ConsentPurpose, GranteeKind, Part2Label, SignalClass } from '@careloop/contract'

/** A consent in the words that decide: read from the sealed FHIR Consent, the state and times from its row. */
export interface ConsentTerms {
  readonly id: string
  readonly status: 'active' | 'inactive' | 'entered-in-error'
  readonly decision: 'permit' | 'deny'
  readonly grantee: { readonly kind: GranteeKind; readonly id: string | null }
  /** Empty = all. */
  readonly classes: readonly SignalClass[]
  /** Empty = all but legal proceedings. */
  readonly purposes: readonly ConsentPurpose[]
  /** A permission covers what bears these labels besides what bears none; a refusal with labels is of what bears one of them. */
  readonly labels: readonly Part2Label[]
  readonly from: number
  readonly until: number | null
  /** When it was withdrawn: it counted before. */
  readonly endedAt: number | null
}

/**
 * `self`: the person. `clinician`: staff; what Part 2 protects they see of the `programs` of whose team they are, or all of it in a
 * medical emergency (42 CFR 2.51). `integration`: a service token; `own` = a program of the organisation itself.
 */
export type Asker =
  | { readonly kind: 'self' }
  | { readonly kind: 'clinician'; readonly programs: readonly string[]; readonly isEmergency: boolean }
  | { readonly kind: 'caregiver'; readonly id: string }
  | { readonly kind: 'integration'; readonly id: string; readonly own: boolean }
  | { readonly kind: 'research'; readonly id: string }

/** `person`: that this person is here, by name. Null: no class known; only a consent for all classes covers it. */
export interface SharedThing {
  readonly class: SignalClass | 'person' | null
  readonly labels: readonly Part2Label[]
  /** Where the labels come from: for each reason the programs that it is of, of which one's team is enough. Absent: not known. */
  readonly labelledBy?: readonly (readonly string[])[]
}

export interface ConsentQuestion {
  /** All of this person, in any order. */
  readonly consents: readonly ConsentTerms[]
  readonly asker: Asker
  readonly what: SharedThing
  readonly purpose: ConsentPurpose
  readonly at: number
  /** Setting of the organisation. */
  readonly holdsPart2: boolean
  /** Id of the order of a court. */
  readonly courtOrder?: string | undefined
}

export type Because =
  | 'own-record'
  | 'treatment'
  | 'own-service'
  | 'program-team'
  | 'emergency'
  | 'court-order'
  | 'consent'
  | 'consent-denies'
  | 'no-consent'
  | 'part2-consent-needed'
  | 'part2-program-team-only'
  | 'court-order-needed'

export interface Decision {
  readonly decision: 'permit' | 'deny'
  readonly because: Because
  /** The consent that decided. */
  readonly consent?: string
  /** What whoever passes it on must do. */
  readonly obligations: readonly 'redisclosure-notice'[]
}

export function decide(question: ConsentQuestion): Decision {
  const { asker, purpose, what } = question
  const isLabelled = what.labels.length > 0
  if (purpose === 'HLEGAL') return decideLegal(question)
  if (asker.kind === 'self') return permit('own-record')
  if (asker.kind === 'clinician') {
    if (!isLabelled || !question.holdsPart2) return permit('treatment')
    if (isOfTeam(asker.programs, what)) return permit('program-team')
    if (asker.isEmergency) return permit('emergency', question)
    return byConsent(question, 'part2-program-team-only')
  }
  if (asker.kind === 'integration' && asker.own && isCare(purpose) && !isLabelled) return permit('own-service')
  return byConsent(question, 'no-consent')
}

/** Care in one program opens nothing of another (42 CFR 2.12(c)(3) speaks of staff of a program, not of the whole house). */
const isOfTeam = (programs: readonly string[], { labelledBy = [] }: SharedThing): boolean =>
  labelledBy.length > 0 && labelledBy.every((reason) => reason.some((program) => programs.includes(program)))

/** Against a patient nothing is told without a court's order (42 CFR 2.64, 2.65; 45 CFR 164.512(e)); with it, no consent is asked. */
function decideLegal(question: ConsentQuestion): Decision {
  const order = question.courtOrder?.trim()
  return order === undefined || order === '' ? deny('court-order-needed') : permit('court-order', question)
}

function byConsent(question: ConsentQuestion, without: Because): Decision {
  const { what } = question
  const inForce = question.consents.filter((consent) => isInForce(consent, question.at) && isMeant(consent, question))
  const refusal = smallest(inForce.filter((consent) => consent.decision === 'deny' && refuses(consent, what)))
  if (refusal !== null) return deny('consent-denies', refusal)
  const permissions = inForce.filter((consent) => consent.decision === 'permit' && covers(consent, what))
  const enough = smallest(permissions.filter((consent) => what.labels.every((label) => consent.labels.includes(label))))
  if (enough !== null) return permit('consent', question, enough)
  return deny(permissions.length > 0 ? 'part2-consent-needed' : without)
}

/** Withdrawal works from its moment on: what was shared before was shared rightly. An error never counted. */
export const isInForce = (consent: ConsentTerms, at: number): boolean =>
  consent.status !== 'entered-in-error' &&
  consent.from <= at &&
  (consent.until === null || at < consent.until) &&
  (consent.endedAt === null || at < consent.endedAt)

/** Whether it speaks of this asker and this purpose. */
function isMeant({ grantee, purposes }: ConsentTerms, { asker, purpose }: ConsentQuestion): boolean {
  if (purposes.length > 0 && !purposes.includes(purpose)) return false
  // One consent for all future treatment, payment and operations (42 CFR 2.31(a)(4)) reaches whoever works for these.
  if (grantee.kind === 'treatment')
    return isCare(purpose) && (asker.kind === 'clinician' || asker.kind === 'integration')
  return asker.kind === grantee.kind && 'id' in asker && asker.id === grantee.id
}

const isCare = (purpose: ConsentPurpose): boolean =>
  purpose === 'TREAT' || purpose === 'HPAYMT' || purpose === 'HOPERAT'

/** Whoever may see anything may know whose it is. */
const covers = ({ classes }: ConsentTerms, what: SharedThing): boolean =>
  classes.length === 0 || what.class === 'person' || (what.class !== null && classes.includes(what.class))

function refuses({ classes, labels }: ConsentTerms, what: SharedThing): boolean {
  if (labels.length > 0 && !what.labels.some((label) => labels.includes(label))) return false
  // What has no class may be anything: it is refused as soon as something is.
  return classes.length === 0 || what.class === null || (what.class !== 'person' && classes.includes(what.class))
}

/** The one that is named does not follow from the order in which they came. */
const smallest = (consents: readonly ConsentTerms[]): string | null => consents.map(({ id }) => id).sort()[0] ?? null

const permit = (because: Because, question?: ConsentQuestion, consent?: string): Decision => ({
  ...{ decision: 'permit', because },
  ...(consent === undefined ? {} : { consent }),
  obligations: question !== undefined && question.what.labels.length > 0 ? ['redisclosure-notice'] : [],
})

const deny = (because: Because, consent?: string): Decision => ({
  ...{ decision: 'deny', because },
  ...(consent === undefined ? {} : { consent }),
  obligations: [],
})
