/**
 * One cuff measurement as one Observation: systolic, diastolic and mean are components, never resources of their own. What came in
 * several messages of one group is one measurement too: a later part is put into what stands. Pure.
 */
import { isAbsent, signal } from '@careloop/contract'
import type { Resource } from '@careloop/fhir'
import type { Derived } from '../clinical.ts'
import { categoryOf, conceptOf, panelConcept, panelSignals, profilesOf } from './concepts.ts'
import { identifiersOf, idOf } from './derived-id.ts'
import { dateTimeIn } from './local-time.ts'
import { extensionsOf, isPersonal, judged, notesOf } from './spot-observation.ts'
import { sourceElements, type Told, zoneOf } from './told.ts'
import { absentElement, valueElements } from './values.ts'

/** Part of a cuff measurement. */
export const isOfPanel = (code: string, groupId: string | undefined): groupId is string =>
  groupId !== undefined && (panelSignals as readonly string[]).includes(code)

/** @param nth second and further values of one signal in one group are measurements of their own: 0 is the first */
export const panelIdOf = ({ whose, source, reading }: Told, nth: number): string =>
  idOf('panel', whose.tenant, whose.subject, source.device, reading.groupId ?? '', nth)

/**
 * @param parts of one measurement, at most one of a signal
 * @param before the components that stand already, by signal
 */
export function bloodPressure(parts: readonly Told[], nth: number, before: ReadonlyMap<string, object>): Derived {
  const first = parts.reduce((a, b) => (b.reading.measuredAt < a.reading.measuredAt ? b : a))
  const { whose, source, reading } = first
  const components = new Map(before)
  for (const part of parts) components.set(part.reading.signal, componentOf(part))
  const wanted = panelSignals.filter((code) => code !== 'mean-arterial-pressure' || components.has(code))
  const id = panelIdOf(first, nth)
  const resource = {
    resourceType: 'Observation',
    id,
    ...(whose.kind === 'patient' ? { meta: { profile: profilesOf('85354-9') } } : {}),
    ...extensionsOf(first),
    identifier: identifiersOf(id),
    status: 'final',
    category: categoryOf('systolic', isPersonal(first)),
    code: panelConcept,
    subject: { reference: whose.reference },
    effectiveDateTime: dateTimeIn(zoneOf(whose, reading.measuredAt), reading.measuredAt),
    ...sourceElements(source),
    ...notesOf(first),
    component: wanted.map((code) => components.get(code) ?? missing(code)),
  }
  const at = Math.max(...parts.map(({ storedAt }) => storedAt))
  return { resource, subject: whose.subject, signals: wanted.filter((code) => components.has(code)), at }
}

function componentOf(part: Told): object {
  const row = signal(part.reading.signal)!
  const isAbove = isAbsent(part.reading.value) ? {} : judged(part)
  return { code: conceptOf(row), ...valueElements(row, part.reading), ...isAbove }
}

/** The profile asks for both numbers: of one that did not come it is said that it is not known. */
const missing = (code: string): object => ({ code: conceptOf(signal(code)!), ...absentElement('unknown', 'Unknown') })

/** The parts of a measurement that stands, by signal; what is there only to say that it did not come is left out. */
export function componentsOf(resource: Resource): ReadonlyMap<string, object> {
  const found = new Map<string, object>()
  const components = Array.isArray(resource.component) ? (resource.component as Component[]) : []
  for (const component of components) {
    const code = component.code?.coding?.find(({ system }) => system?.endsWith('/CodeSystem/signal'))?.code
    if (code !== undefined && component.dataAbsentReason?.coding?.[0]?.code !== 'unknown') found.set(code, component)
  }
  return found
}

interface Component {
  readonly code?: { readonly coding?: readonly { readonly system?: string; readonly code?: string }[] }
  readonly dataAbsentReason?: { readonly coding?: readonly { readonly code?: string }[] }
}
