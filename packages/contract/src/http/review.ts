/** Reviews: what an office has to look at besides clinical work. They name people by opaque id; a patient never by name. */
import { z } from 'zod'
import { Priority, StaffRef } from './alerting.ts'
import { Id, Instant } from './common.ts'
import { Role } from './identity.ts'

/** `unanswered-task`: nobody holds the role that a task was escalated to. `break-glass`: somebody took emergency access. `break-glass-misses`: somebody tried again and again and found no patient. */
export const ReviewKind = z.enum([
  'break-glass',
  'break-glass-misses',
  'device-security',
  'unusual-access',
  'unanswered-task',
  'erasure',
  'subscription',
])
export type ReviewKind = z.infer<typeof ReviewKind>

export const ReviewStatus = z.enum(['open', 'claimed', 'closed'])
export type ReviewStatus = z.infer<typeof ReviewStatus>

/** What the office found. Which of them a kind takes: `reviewOutcomes`. */
export const ReviewOutcome = z.enum(['justified', 'not-justified', 'needs-follow-up', 'harmless', 'mended', 'decided'])
export type ReviewOutcome = z.infer<typeof ReviewOutcome>

export const reviewOutcomes: Readonly<Record<ReviewKind, readonly ReviewOutcome[]>> = {
  'break-glass': ['justified', 'not-justified', 'needs-follow-up'],
  'break-glass-misses': ['justified', 'not-justified', 'needs-follow-up'],
  'device-security': ['harmless', 'mended', 'needs-follow-up'],
  'unusual-access': ['justified', 'not-justified', 'needs-follow-up'],
  'unanswered-task': ['mended', 'needs-follow-up'],
  erasure: ['decided', 'needs-follow-up'],
  subscription: ['mended', 'harmless', 'needs-follow-up'],
}

export const ReviewBody = z
  .object({
    id: Id,
    kind: ReviewKind,
    /** Fixed words of the kind. */
    title: z.string(),
    /** A code of the kind: why access was taken, what is suspicious of a device. */
    reason: z.string().nullable(),
    /** Opaque ids. `user`: whose act it is about; their name, as colleagues know it. */
    about: z.object({ subject: Id.nullable(), device: Id.nullable(), user: StaffRef.nullable() }),
    priority: Priority,
    forRole: Role,
    status: ReviewStatus,
    openedAt: Instant,
    dueAt: Instant,
    claimedBy: StaffRef.nullable(),
    closedBy: StaffRef.nullable(),
    closedAt: Instant.nullable(),
    outcome: ReviewOutcome.nullable(),
    version: z.int(),
    /** Why who asks may not close it; absent = they may. */
    whyNotClose: z.string().optional(),
  })
  .meta({ id: 'Review' })
export type ReviewBody = z.infer<typeof ReviewBody>

/** GET /api/v1/reviews: overdue ones first, then by due time; closed ones newest first. Counts are of all that who asks may see. */
export const ReviewList = z.object({
  items: z.array(ReviewBody),
  counts: z.object({ open: z.int(), claimed: z.int(), overdue: z.int(), closed: z.int() }),
})
export type ReviewList = z.infer<typeof ReviewList>

export const ReviewQuery = z.object({
  /** Left out: all that are not closed. */
  status: ReviewStatus.optional(),
})

/** GET /api/v1/reviews/:id */
export const ReviewDetail = ReviewBody.extend({
  /** Of break-glass: from when until when, what was said, and what was done by it. */
  access: z
    .object({
      openedAt: Instant,
      untilAt: Instant,
      endedAt: Instant.nullable(),
      /** In the words of who took it; null when the patient was erased. */
      words: z.string().nullable(),
      /** Entries of the audit trail by this person on this patient while it stood, by what was done. */
      acts: z.array(z.object({ action: z.string(), resource: z.string(), count: z.int() })),
    })
    .nullable(),
  /** The note it was closed with. */
  note: z.string().nullable(),
}).meta({ id: 'ReviewDetail' })
export type ReviewDetail = z.infer<typeof ReviewDetail>

/** POST /api/v1/reviews/:id/claim */
export const ClaimReview = z.strictObject({ version: z.int() })
/** POST /api/v1/reviews/:id/close */
export const CloseReview = z.strictObject({
  version: z.int(),
  outcome: ReviewOutcome,
  note: z.string().trim().min(1).max(2000),
})
export type CloseReview = z.infer<typeof CloseReview>
