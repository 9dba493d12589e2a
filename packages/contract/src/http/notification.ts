/** What a person was told: in the pages and by e-mail. One intent per transition, recipient, channel and step. */
import { z } from 'zod'
import { AlertBody, Priority, StaffRef } from './alerting.ts'
import { Id, Instant } from './common.ts'

export const NotificationBody = z
  .object({
    id: Id,
    /** What it tells of: a task, or a review, or a patient of whose care team somebody took emergency access. */
    task: Id.optional(),
    review: Id.optional(),
    subject: Id.optional(),
    /** Who was told; always sent in the list of a task. */
    to: StaffRef.optional(),
    /**
     * `raised` and `recurred`: the alert; `reminder`: not acknowledged yet; `overdue`: the limit passed; `handed-off`: a colleague
     * gave it; `undelivered`: whoever should have it could not be reached; `evidence-changed`: its readings were somebody else's.
     * `review-opened`, `review-overdue`: something to review; `access-taken`: emergency access to a patient of theirs.
     */
    why: z.enum([
      'raised',
      'recurred',
      'reminder',
      'overdue',
      'handed-off',
      'undelivered',
      'evidence-changed',
      'review-opened',
      'review-overdue',
      'access-taken',
    ]),
    channel: z.enum(['in-app', 'email']),
    step: z.int(),
    priority: Priority,
    /** Of its alert: a technical one has a mark of its own, whatever its priority. */
    nature: AlertBody.shape.nature,
    /** "Blood pressure severely high": never a name or a value. */
    title: z.string(),
    at: Instant,
    /** When it reached the channel; absent = on its way. */
    deliveredAt: Instant.optional(),
    /** When it ought to have been sent; only when it was more than a minute late, e.g. because the server was down. */
    wantedAt: Instant.optional(),
    /** The mail server did not take it so often that the next step was told; trying goes on until `deliveredAt`. */
    failedAt: Instant.optional(),
    /** What the last failed attempt ended with, for who runs the mail server. */
    failure: z.string().optional(),
    /** Why it was sent again: "Sent again because the server stopped after handing it to the mail server." */
    repeated: z.string().optional(),
    /** Why it was not sent: acknowledged or completed first, they may not see it any more (`no-consent`), or the condition had passed when Careloop caught up. */
    cancelled: z.enum(['acknowledged', 'completed', 'passed', 'no-address', 'replaced', 'no-consent']).optional(),
    /** Deliveries; more than 1 after a crash or a lost answer of the mail server, and said so. */
    attempts: z.int(),
    seenAt: Instant.optional(),
  })
  .meta({ id: 'Notification' })
export type NotificationBody = z.infer<typeof NotificationBody>

/** GET /api/v1/notifications: of who asks, in-app, newest first. GET /api/v1/tasks/:id/notifications: all of a task. */
export const NotificationList = z.object({ items: z.array(NotificationBody), unseen: z.int() })
export type NotificationList = z.infer<typeof NotificationList>

/** POST /api/v1/notifications/seen */
export const NotificationsSeen = z.strictObject({ ids: z.array(Id).min(1).max(200) })
export type NotificationsSeen = z.infer<typeof NotificationsSeen>
