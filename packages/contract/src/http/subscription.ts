/** Subscriptions of systems outside, and whether they are told: for the people who look after them. */
import { z } from 'zod'
import { Instant } from './common.ts'

export const SubscriptionStatus = z.enum(['requested', 'active', 'error', 'off'])

export const SubscriptionHealth = z
  .object({
    /** Ours; `fhirId` is that of the resource. */
    id: z.guid(),
    fhirId: z.string(),
    status: SubscriptionStatus,
    /** Why it is in error or off, a code, and what to do in words. */
    reason: z.string().nullable(),
    says: z.string().nullable(),
    /** Canonical of the topic, and its name. */
    topic: z.string(),
    title: z.string(),
    /** `staff:<id>` or `service:<id>`, and the app in whose name it was made. */
    owner: z.string(),
    app: z.string().nullable(),
    /** Where it goes; the path may hold a secret. */
    host: z.string(),
    payload: z.enum(['empty', 'id-only', 'full-resource']),
    /** Number of the newest event, and how many of them the endpoint has not taken. */
    events: z.int(),
    behind: z.int(),
    lastToldAt: Instant.nullable(),
    /** Tries in vain, in a row, and since when. */
    failures: z.int(),
    failingSince: Instant.nullable(),
    nextTryAt: Instant.nullable(),
    /** Class of the last failure: unreachable, answered-5xx, ... */
    trouble: z.string().nullable(),
    troubleAt: Instant.nullable(),
    createdAt: Instant,
    endAt: Instant.nullable(),
  })
  .meta({ id: 'SubscriptionHealth' })
export type SubscriptionHealth = z.infer<typeof SubscriptionHealth>

/** GET /api/v1/subscriptions, oldest first */
export const SubscriptionList = z.object({ items: z.array(SubscriptionHealth) })
