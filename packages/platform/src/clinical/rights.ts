/**
 * Who may do what with which type: the contract's rights of roles and scopes by `types.ts`, narrowed by what the app was granted,
 * by sight of the subject, and by the patient's consent. Each only takes away.
 */
import type { Action, Resource as Right } from '@careloop/contract'
import type { TenantTx } from '../engine/index.ts'
import { admits, charts, type Filters, isPerson, may, type Principal, type SmartAccess } from '../identity/index.ts'
import { type By, type Consents, type Gate, type Sight, seesKind, sightOf, type Thing } from '../subjects/index.ts'
import { clinicalFailure } from './errors.ts'
import { fulfils } from './fulfils.ts'
import { seesRow, type Whose } from './store/rows.ts'
import type { Stored } from './stored.ts'
import { isServed, servedTypes } from './types.ts'

/** What somebody was let in to do with one type. */
export interface Granted {
  readonly type: string
  readonly access: SmartAccess
  /** With the sight that goes with it. */
  readonly by: By
  /** Alternatives of the app's scopes, of which one must fit; null = no condition. */
  readonly filters: readonly Filters[] | null
}

const actions: Readonly<Record<SmartAccess, Action>> = { c: 'create', r: 'read', u: 'update', d: 'delete', s: 'read' }

/** @throws Failure `type-not-served`, `type-not-yours` */
export function grantFor(by: By, type: string, access: SmartAccess): Granted {
  if (!isServed(type))
    throw clinicalFailure('type-not-served', 'This server keeps no resources of this type: see metadata.')
  const { who } = by
  if (who === undefined) return { type, access, by, filters: null }
  const { right } = servedTypes[type]!
  const action = actions[access]
  if (!may(who, action, right)) throw notYours(type)
  const sighted: By = { ...by, sight: patientsAttached(who, right, sightOf(who, action, right)) }
  const app = who.kind === 'staff' || who.kind === 'service' ? who.app : undefined
  if (app === undefined) return { type, access, by: sighted, filters: null }
  const filters = admits(app, type, access)
  if (filters === null) throw notYours(type)
  const isFree = filters.some(({ patient, params }) => patient === undefined && params.length === 0)
  return { type, access, by: sighted, filters: isFree ? null : filters }
}

/**
 * Who sees devices or care teams of every patient sees them on our pages by opaque ids, without a name and without a reading. A FHIR
 * resource may carry a record system's own number of the patient, and words: in a patient's compartment it is for whom that patient
 * is attached to. The trail is compliance's, whoever it is about.
 */
function patientsAttached(who: Principal, right: Right, sight: Sight): Sight {
  if (right === 'audit' || (charts as readonly Right[]).includes(right) || !sight.kinds.includes('patient'))
    return sight
  const people = sightOf(who, 'read', 'subject')
  if (people.kinds.includes('patient')) return sight
  const kinds = sight.kinds.filter((kind) => kind !== 'patient')
  return people.reach === undefined ? { kinds } : { kinds, reach: people.reach }
}

/** Whether it would be let in: for lists of several types. */
export function mayDo(by: By, type: string, access: SmartAccess): boolean {
  try {
    grantFor(by, type, access)
    return true
  } catch {
    return false
  }
}

const notYours = (type: string) =>
  clinicalFailure('type-not-yours', `Your roles or scopes do not include this with ${type}. Ask an administrator.`)

/** Opened before a transaction; one request holds one for each way in which it sees. */
export interface Eyes {
  readonly granted: Granted
  readonly gate: Gate
  /** Whether the row is there for them, before it is opened. */
  seesRow(row: { readonly subject_id: string | null } & Whose): boolean
  /** Whether what was opened is shown: the app's filters, and consent. `heldBack` hears whose consent kept it. */
  shows(tx: TenantTx, stored: Stored, heldBack?: (subject: string) => void): Promise<boolean>
}

export async function eyesFor(
  { consents }: { readonly consents: Pick<Consents, 'gate'> },
  granted: Granted,
): Promise<Eyes> {
  const gate = await consents.gate(granted.by)
  return {
    granted,
    gate,
    seesRow: (row) => seesRow(granted.by.sight, row),
    async shows(tx, stored, heldBack) {
      if (!isTold(granted, stored)) return false
      if (gate.everything || stored.subject === null || granted.by.who === undefined) return true
      const shown = await gate.shown(tx, stored.subject)
      if (shown.everything || shown.may(thingOf(stored))) return true
      heldBack?.(stored.subject)
      return false
    },
  }
}

/**
 * Whether it may be told to them at all, whoever it is of: what may be of a person and does not say of whom is for those who have to do
 * with patients; an app sees what one of its scopes lets through.
 */
export function isTold(
  { by, filters }: Pick<Granted, 'by' | 'filters'>,
  stored: Pick<Stored, 'type' | 'subject' | 'text' | 'isDeleted'>,
): boolean {
  const isHidden = stored.subject === null && servedTypes[stored.type]?.isCommon !== true && !treats(by)
  return !isHidden && isWithin(filters, stored)
}

/**
 * Whether they have to do with patients as the organisation does. A patient, who cares for one, and a program outside to which some said
 * yes have to do with those alone: what says of nobody whose it is may be anybody's.
 */
function treats({ who, sight }: By): boolean {
  if (who === undefined || sight === undefined || sight.kinds.includes('patient')) return true
  return who.kind === 'staff' && !isPerson(who.roles) && seesKind(sight, 'patient')
}

/** What of a person it is, as consent names things. */
export function thingOf({ type, signals, program }: Pick<Stored, 'type' | 'signals' | 'program'>): Thing {
  if (type === 'Patient' || type === 'RelatedPerson') return { class: 'person' }
  if (type === 'Device' || type === 'DeviceMetric' || type === 'DeviceUseStatement') return { class: 'device' }
  return { ...(signals === undefined ? {} : { signals }), ...(program === undefined ? {} : { program }) }
}

/** Whether one of the app's alternatives fits. What is gone fits by its patient alone: nothing else of it is left. */
export function isWithin(
  filters: readonly Filters[] | null,
  stored: Pick<Stored, 'type' | 'subject' | 'text' | 'isDeleted'>,
): boolean {
  if (filters === null) return true
  return filters.some(({ patient, params }) => {
    if (patient !== undefined && stored.subject !== patient) return false
    if (params.length === 0) return true
    return !stored.isDeleted && fulfils(JSON.parse(stored.text), params)
  })
}
