/** What can be subscribed to: each topic says which fact tells of it and what the event is about. R4 has no SubscriptionTopic. */
import type { Fact, FactBodies, FactType } from '@careloop/contract'

export const topicBase = 'https://careloop.dev/fhir/SubscriptionTopic/'

export type TopicCode =
  | 'alert-raised'
  | 'alert-closed'
  | 'reading-out-of-range'
  | 'task-overdue'
  | 'assignment-changed'
  | 'resource-changed'

/** The resource that an event is about: by its FHIR id, or by the store's own id when a client chose the FHIR id. */
export type Focus = { readonly type: string } & ({ readonly id: string } | { readonly rid: string })

export interface Topic {
  readonly code: TopicCode
  readonly title: string
  readonly says: string
  /** Type of the resource that events are about; null = any, and a filter has to name one. */
  readonly type: string | null
}

export const topics: readonly Topic[] = [
  {
    ...{ code: 'alert-raised', title: 'Alert raised', type: 'DetectedIssue' },
    says: 'A rule found its condition met and raised an alert; also one that came too late to page anybody.',
  },
  {
    ...{ code: 'alert-closed', title: 'Alert closed', type: 'DetectedIssue' },
    says: 'A member of staff recorded what was done about an alert.',
  },
  {
    ...{ code: 'reading-out-of-range', title: 'Reading out of range', type: 'Observation' },
    says: 'A reading beyond the limits that stand for this person was measured.',
  },
  {
    ...{ code: 'task-overdue', title: 'Task overdue', type: 'Task' },
    says: 'The time limit of a task passed and nobody has completed it.',
  },
  {
    ...{ code: 'assignment-changed', title: 'Assignment of a device changed', type: 'Device' },
    says: 'Who wears a device changed, or was corrected.',
  },
  {
    ...{ code: 'resource-changed', title: 'Resource changed', type: null },
    says: 'A client created, changed or deleted a resource by FHIR. A filter names its type: Observation?code=...',
  },
]

type Focuses = {
  readonly [T in FactType]?: (body: FactBodies[T]) => { readonly topic: TopicCode; readonly focus: Focus }
}

const focuses: Focuses = {
  AlertRaised: ({ alert }) => ({ topic: 'alert-raised', focus: { type: 'DetectedIssue', id: alert } }),
  AlertClosed: ({ alert }) => ({ topic: 'alert-closed', focus: { type: 'DetectedIssue', id: alert } }),
  ReadingOutOfRange: ({ resource }) => ({
    topic: 'reading-out-of-range',
    focus: { type: 'Observation', rid: resource },
  }),
  TaskOverdue: ({ task }) => ({ topic: 'task-overdue', focus: { type: 'Task', id: task } }),
  AssignmentChanged: ({ device }) => ({ topic: 'assignment-changed', focus: { type: 'Device', id: device } }),
  ClinicalChanged: ({ kind, rid }) => ({ topic: 'resource-changed', focus: { type: kind, rid } }),
}

/** Facts that may become events. */
export const eventFacts = Object.keys(focuses) as FactType[]

/** What a fact is an event of; null = of nothing. */
export function eventOf<T extends FactType>(
  fact: Pick<Fact<T>, 'type' | 'body'>,
): { readonly topic: TopicCode; readonly focus: Focus } | null {
  const make: Focuses[T] = focuses[fact.type]
  return make === undefined ? null : make(fact.body)
}

export const canonicalOf = (code: TopicCode): string => `${topicBase}${code}`

/** A canonical, with or without a version; null = none of ours. */
export function topicOf(canonical: string): Topic | null {
  const [url] = canonical.split('|', 1)
  return topics.find(({ code }) => canonicalOf(code) === url) ?? null
}
