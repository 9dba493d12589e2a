/** What kinds of review there are: who closes each, how soon, in what words. A line a kind; another line says which fact opens it. */
import type { Fact, FactBodies, FactType, Priority, ReviewKind, Role } from '@careloop/contract'

export interface KindOfReview {
  /** Stands in lists, notifications and mails: no name, no value. */
  readonly title: string
  /** Who closes it. */
  readonly role: Role
  readonly priority: Priority
  /** Time to close it, ms. */
  readonly limitMs: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

export const reviewKinds: Readonly<Record<ReviewKind, KindOfReview>> = {
  // 45 CFR 164.312(a)(2)(ii) asks for the access; that it is closed within 72 h is our promise about looking at it.
  'break-glass': kind('Emergency access to a patient', 'compliance', 'high', 72 * hourMs),
  'break-glass-misses': kind('Emergency access was tried again and again', 'compliance', 'high', dayMs),
  'device-security': kind('A device behaves suspiciously', 'biomed', 'high', dayMs),
  'unusual-access': kind('Unusual access to records', 'compliance', 'medium', 7 * dayMs),
  // Its reader gives the role to somebody: until then others are paged for it, or nobody.
  'unanswered-task': kind('Nobody holds the role that answers for a task', 'administrator', 'high', 4 * hourMs),
  erasure: kind('A person is to be erased', 'compliance', 'medium', 14 * dayMs),
  // A system that others rely on is told nothing: whoever set it up believes that it is.
  subscription: kind('A system outside is not told any more', 'administrator', 'high', dayMs),
}

function kind(title: string, role: Role, priority: Priority, limitMs: number): KindOfReview {
  return { title, role, priority, limitMs }
}

export interface NewReview {
  readonly kind: ReviewKind
  /** What it is about, by its kind: the same is opened once. */
  readonly source: string
  readonly subject?: string
  readonly device?: string
  readonly user?: string
  /** A code, no free text. */
  readonly reason?: string
}

type Opens = { readonly [T in FactType]?: (body: FactBodies[T], fact: Fact<T>) => NewReview }

/** Which facts open a review. */
export const opens: Opens = {
  BreakGlassOpened: ({ access, subject, user, reason }) => ({
    kind: 'break-glass',
    source: access,
    subject,
    user,
    reason,
  }),
  // It is told once a day a device and reason; each time is a review of its own.
  DeviceSuspicious: ({ device, reason }, { position }) => ({
    ...{ kind: 'device-security', source: `${device} ${reason} ${position}`, device, reason },
  }),
  UnusualAccessFound: ({ finding, user, subject, reason }) => ({
    ...{ kind: 'unusual-access', source: finding, user, reason },
    ...(subject === undefined ? {} : { subject }),
  }),
  BreakGlassMissed: ({ miss, user }) => ({ kind: 'break-glass-misses', source: miss, user }),
  // It may be mended and fail again: each time is a review of its own.
  SubscriptionFailed: ({ subscription, reason }, { position }) => ({
    ...{ kind: 'subscription', source: `${subscription} ${position}`, reason },
  }),
  ErasureProposed: ({ erasure, subject }) => ({ kind: 'erasure', source: erasure, subject }),
}

export const openingFacts = Object.keys(opens) as (keyof Opens)[]

/** The review that a fact asks for; null when it asks for none. */
export function reviewOf<T extends FactType>(fact: Fact<T>): NewReview | null {
  const make: Opens[T] = opens[fact.type]
  return make === undefined ? null : make(fact.body, fact)
}
