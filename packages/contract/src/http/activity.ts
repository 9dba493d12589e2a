/**
 * What staff did for whom, when, for how long: kept for billing rules to come, and for nobody's memory to be asked. An entry
 * grows while its page is open (a heartbeat each 20 s, so that a crash loses less than that), and never changes once ended.
 */
import { z } from 'zod'
import { activityKinds, contactModes } from '../activity-kinds.ts'
import { StaffRef } from './alerting.ts'
import { Id, Instant } from './common.ts'

export const ActivityKind = z.enum(activityKinds)
export type ActivityKind = z.infer<typeof ActivityKind>
export const ContactMode = z.enum(contactModes)
export type ContactMode = z.infer<typeof ContactMode>

/**
 * PUT /api/v1/activities/:id: begins, prolongs or ends one's own activity. `id` is made by the page, so that a repeat changes
 * nothing. Length: at most 8 h, `to` never ahead of the server's clock. `ended` makes it final.
 */
export const PutActivity = z.strictObject({
  subject: Id,
  task: Id.optional(),
  from: Instant,
  to: Instant,
  kind: ActivityKind,
  contact: ContactMode.default('none'),
  /** Sealed under the subject's key. */
  note: z.string().max(2000).default(''),
  /** Where it was captured: by the timer of a page, or entered afterwards. */
  source: z.enum(['worklist', 'subject-page', 'entered']),
  ended: z.boolean(),
})
export type PutActivity = z.infer<typeof PutActivity>

export const ActivityBody = z
  .object({
    id: Id,
    subject: Id,
    task: Id.optional(),
    by: StaffRef,
    from: Instant,
    to: Instant,
    kind: ActivityKind,
    contact: ContactMode,
    note: z.string(),
    source: z.enum(['worklist', 'subject-page', 'entered']),
    ended: z.boolean(),
    /** Its page fell silent before it ended: it ended by itself when that was last heard. Absent = no. */
    lost: z.literal(true).optional(),
    /** Whoever wrote it down for `by`; absent = themselves. */
    recordedBy: StaffRef.optional(),
    /** Of a correction: the entry that it stands for, and why. */
    corrects: Id.optional(),
    reason: z.string().optional(),
    /** Entered anew by a later entry, which names it; it no longer counts. */
    correctedBy: Id.optional(),
    /** Civil date of `from` in the subject's zone at that time, YYYY-MM-DD. */
    localDate: z.string(),
    timeZone: z.string(),
  })
  .meta({ id: 'Activity' })
export type ActivityBody = z.infer<typeof ActivityBody>

/** POST /api/v1/activities/:id/correct: the old entry stays and stops counting; a reason is needed. Author or administrator. */
export const CorrectActivity = z.strictObject({
  id: Id,
  from: Instant,
  to: Instant,
  kind: ActivityKind,
  contact: ContactMode,
  note: z.string().max(2000).default(''),
  reason: z.string().trim().min(3).max(1000),
})
export type CorrectActivity = z.infer<typeof CorrectActivity>

/** GET /api/v1/subjects/:id/activities?from&to, newest first. `totals`: union of intervals, so two on one call count once. */
export const ActivityList = z.object({
  items: z.array(ActivityBody),
  totals: z.object({ seconds: z.int(), liveContacts: z.int() }),
})
export type ActivityList = z.infer<typeof ActivityList>

/** Both dates included. */
export const DaysQuery = z.object({ from: z.iso.date(), to: z.iso.date() })
export type DaysQuery = z.infer<typeof DaysQuery>

/** Those that touch [from, to); `totals` count only what lies inside. */
export const ActivityQuery = z.object({ from: z.coerce.number().pipe(Instant), to: z.coerce.number().pipe(Instant) })
export type ActivityQuery = z.infer<typeof ActivityQuery>

/** GET /api/v1/subjects/:id/days?from&to (dates): civil days on which something was measured, by device and origin. */
export const MeasurementDays = z.object({
  days: z.array(
    z.object({
      localDate: z.string(),
      timeZone: z.string(),
      device: Id,
      origin: z.enum(['automatic', 'typed', 'ehr']),
      firstMeasuredAt: Instant,
      /** The device's clock was not set or ran ahead: the day is that of receipt. Absent = no. */
      clockSuspect: z.literal(true).optional(),
    }),
  ),
})
export type MeasurementDays = z.infer<typeof MeasurementDays>
