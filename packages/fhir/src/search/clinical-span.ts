import type { Resource } from '../resource.ts'
import { parametersOf } from './parameters.ts'
import { readerOf } from './path.ts'
import type { Span } from './search.ts'
import { joined, spanOfValue } from './time.ts'

/** By which date a type is sorted and narrowed: when it was true of the patient, or when it was recorded. Never a birth date. */
const clinicalDates: Readonly<Record<string, string>> = {
  ...{ Observation: 'date', Encounter: 'date', CarePlan: 'date', CareTeam: 'date', Flag: 'date', Consent: 'date' },
  ...{ Communication: 'sent', Task: 'authored-on', ServiceRequest: 'occurrence', QuestionnaireResponse: 'authored' },
  ...{ DetectedIssue: 'identified', Goal: 'start-date', AuditEvent: 'date', Provenance: 'recorded' },
  ...{ PlanDefinition: 'date', Questionnaire: 'date', PractitionerRole: 'date', Bundle: 'timestamp' },
}

/** Of types that R4 gives no date parameter. */
const otherDates: Readonly<Record<string, string>> = { DeviceUseStatement: 'DeviceUseStatement.timing' }

/** The date parameter whose span is kept beside a resource's keys; null: the type has none. */
export const clinicalDateOf = (type: string): string | null => clinicalDates[type] ?? null

/** Effective time, period or time of recording: ms, half-open, infinite where it is open; null when the resource says none. */
export function clinicalSpan(resource: Resource): Span | null {
  const type = resource.resourceType
  const expression = otherDates[type] ?? parametersOf(type).get(clinicalDates[type] ?? '')?.expression
  if (expression === undefined) return null
  const spans: (Span | null)[] = []
  readerOf(type, expression)(resource, (value) => spans.push(spanOfValue(value)))
  return joined(spans)
}
