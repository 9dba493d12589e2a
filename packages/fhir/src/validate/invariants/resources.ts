/** Rules of the resource types in use, as closures: each says the same as its FHIRPath, which a test holds. */
import { has, hasChoice, type Loose, list, loose } from '../invariant.ts'
import type { Frame } from '../run.ts'
import { compareTimes } from '../times.ts'
import type { Closure } from './datatypes.ts'

export const resourceClosures: Readonly<Record<string, Closure>> = {
  'dom-2': (it) => list(it.contained).every((contained) => list(loose(contained).contained).length === 0),
  'dom-3': (it, frame) =>
    it.contained === undefined || list(it.contained).every((contained) => isReferred(loose(contained), frame)),
  'dom-4': (it) => metas(it).every((meta) => !has(meta, 'versionId') && !has(meta, 'lastUpdated')),
  'dom-5': (it) => metas(it).every((meta) => list(meta.security).length === 0),
  'obs-3': (it) => has(it, 'low') || has(it, 'high') || has(it, 'text'),
  'obs-6': (it) => !has(it, 'dataAbsentReason') || !hasChoice(it, 'value'),
  'obs-7': (it) => it.component === undefined || !hasChoice(it, 'value') || !hasComponentOfItsOwnCode(it),
  'cpl-3': (it) => !has(it, 'detail') || !has(it, 'reference'),
  'gol-1': (it) => !hasChoice(it, 'detail') || has(it, 'measure'),
  'grp-1': (it) => !has(it, 'member') || it.actual !== false,
  'inv-1': (it) => {
    const hasValue = hasChoice(it, 'value')
    return has(it, 'part') ? !hasValue && !has(it, 'resource') : hasValue !== has(it, 'resource')
  },
  'inv-1@Task': (it) => (compareTimes(it.authoredOn, it.lastModified) ?? 0) <= 0,
  'org-1': (it) => has(it, 'identifier') || has(it, 'name'),
  'org-2': (_it, _frame, raw) => loose(raw).use !== 'home',
  'org-3': (_it, _frame, raw) => loose(raw).use !== 'home',
  'pat-1': (it) => has(it, 'name') || has(it, 'telecom') || has(it, 'address') || has(it, 'organization'),
  'ppc-1': (it) => has(it, 'policy') || has(it, 'policyRule'),
  'ppc-2': (it) => isOfPatientOr(it, 'patient-privacy'),
  'ppc-3': (it) => isOfPatientOr(it, 'research'),
  'ppc-4': (it) => isOfPatientOr(it, 'adr'),
  'ppc-5': (it) => isOfPatientOr(it, 'treatment'),
  'prr-1': (it) => !has(it, 'orderDetail') || has(it, 'code'),
  'qrs-1': (it) => !has(it, 'answer') || !has(it, 'item'),
  'sev-1': (it) => !has(it, 'name') || !has(it, 'query'),
  'ctm-1': onBehalfOfPractitionerOnly,
}

function metas(it: Loose): readonly Loose[] {
  if (it.contained === undefined) return []
  return list(it.contained).map((contained) => loose(loose(contained).meta))
}

/** A contained resource is named by `#id` from elsewhere in the resource, or names its container itself. */
function isReferred(contained: Loose, frame: Frame): boolean {
  const id = contained.id
  const own = typeof id === 'string' && frame.names.pointsTo(frame.resource, id)
  return own || holdsText(contained, '#')
}

/** True when some value below is exactly `text`: references, canonicals, URIs. */
function holdsText(value: unknown, text: string): boolean {
  if (value === text) return true
  if (typeof value !== 'object' || value === null) return false
  for (const key in value) if (holdsText((value as Loose)[key], text)) return true
  return false
}

function hasComponentOfItsOwnCode(it: Loose): boolean {
  const own = list(loose(it.code).coding).map((coding) => JSON.stringify(sorted(loose(coding))))
  return list(it.component).some((component) =>
    list(loose(loose(component).code).coding).some((coding) => own.includes(JSON.stringify(sorted(loose(coding))))),
  )
}

function sorted(coding: Loose): readonly (readonly [string, unknown])[] {
  return Object.entries(coding).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The definitions of R4 really say `something`: the rule is kept as it stands. */
function isOfPatientOr(it: Loose, code: string): boolean {
  if (has(it, 'patient')) return true
  return !list(loose(it.scope).coding).some(
    (coding) => loose(coding).system === 'something' && loose(coding).code === code,
  )
}

/** Only a contained member can be looked at here; others are not resolved and break nothing. */
function onBehalfOfPractitionerOnly(it: Loose, frame: Frame): boolean {
  if (!has(it, 'onBehalfOf')) return true
  const reference = loose(it.member).reference
  if (typeof reference !== 'string' || !reference.startsWith('#')) return true
  const member = frame.names.containedIn(frame.root, reference.slice(1))
  return member === undefined || member.resourceType === 'Practitioner'
}
