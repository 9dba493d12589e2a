/**
 * Notifications as Bundles of R4: type `history`, whose first entry is the status as Parameters (Subscriptions R5 Backport 1.1.0).
 * Pure: what may be told is decided before.
 */
import type { FhirObject, FhirTree } from '@careloop/fhir'
import { profileOfNotification, profileOfStatus } from './extensions.ts'
import type { Content } from './read-subscription.ts'
import type { Status } from './status.ts'

export type NotificationKind = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event'

/** What every notification says of its subscription. */
export interface Told {
  readonly kind: NotificationKind
  /** `https://host/fhir/R4`. */
  readonly base: string
  /** FHIR id of the Subscription. */
  readonly id: string
  /** Canonical of its topic. */
  readonly topic: string
  readonly status: Status
  /** Number of its newest event. */
  readonly events: number
  /** In words for who runs the endpoint; absent = all is well. */
  readonly trouble?: string
}

/** One event as it is told. Whose resource is gone, or may not be known of any more, has its number and nothing else. */
export interface ToldEvent {
  readonly number: number
  /** ms. */
  readonly at: number
  readonly focus: { readonly type: string; readonly id: string; readonly tree: FhirTree } | null
}

export const instantOf = (ms: number): string => new Date(ms).toISOString()

/** @param at `Bundle.timestamp`, ms  @param uuid of the status entry */
export function notificationBundle(
  told: Told,
  events: readonly ToldEvent[],
  { content, at, uuid }: { readonly content: Content; readonly at: number; readonly uuid: string },
): FhirTree {
  const shown = content === 'empty' ? events.map((event) => ({ ...event, focus: null })) : events
  return {
    resourceType: 'Bundle',
    meta: { profile: [profileOfNotification] },
    type: 'history',
    timestamp: instantOf(at),
    entry: [statusEntry(told, shown, uuid), ...entriesOf(told, shown, content)],
  }
}

const statusEntry = (told: Told, events: readonly ToldEvent[], uuid: string): FhirObject => ({
  fullUrl: `urn:uuid:${uuid}`,
  resource: { ...statusOf(told, events), id: uuid },
  request: { method: 'GET', url: `Subscription/${told.id}/$status` },
  response: { status: '200' },
})

/** SubscriptionStatus, which R4 has not, as Parameters. */
export function statusOf(told: Told, events: readonly ToldEvent[] = []): FhirTree {
  return {
    resourceType: 'Parameters',
    meta: { profile: [profileOfStatus] },
    parameter: [
      { name: 'subscription', valueReference: { reference: `${told.base}/Subscription/${told.id}` } },
      { name: 'topic', valueCanonical: told.topic },
      { name: 'status', valueCode: told.status },
      { name: 'type', valueCode: told.kind },
      // 64-bit numbers are strings in R4.
      { name: 'eventsSinceSubscriptionStart', valueString: String(told.events) },
      ...events.map((event) => ({ name: 'notificationEvent', part: partsOf(told, event) })),
      ...(told.trouble === undefined ? [] : [{ name: 'error', valueCodeableConcept: { text: told.trouble } }]),
    ],
  }
}

function partsOf({ base }: Told, { number, at, focus }: ToldEvent): FhirObject[] {
  return [
    { name: 'eventNumber', valueString: String(number) },
    { name: 'timestamp', valueInstant: instantOf(at) },
    ...(focus === null ? [] : [{ name: 'focus', valueReference: { reference: `${base}/${focus.type}/${focus.id}` } }]),
  ]
}

/** One entry a resource, however many events are about it. */
function entriesOf({ base }: Told, events: readonly ToldEvent[], content: Content): FhirObject[] {
  const seen = new Map(events.flatMap(({ focus }) => (focus === null ? [] : [[`${focus.type}/${focus.id}`, focus]])))
  return [...seen].map(([place, { tree }]) => ({
    fullUrl: `${base}/${place}`,
    ...(content === 'full-resource' ? { resource: tree } : {}),
    request: { method: 'GET', url: place },
    response: { status: '200' },
  }))
}
