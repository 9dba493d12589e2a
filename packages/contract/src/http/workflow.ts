/**
 * HTTP bodies of the worklist and of tasks. A task is what one named person has to do about one alert, by when.
 */
import { z } from 'zod'
import {
  AlertBody,
  AlertCondition,
  Handling,
  Priority,
  ProgramRef,
  RuleRef,
  ShownValue,
  StaffRef,
  SubjectRef,
} from './alerting.ts'
import { Id, Instant, OperationOutcome } from './common.ts'
import type { SubjectKind } from './subjects.ts'

/** `open`: nobody has taken it; `claimed`: `claimedBy` is on it; `completed`: a disposition stands. */
export const TaskStatus = z.enum(['open', 'claimed', 'completed'])
export type TaskStatus = z.infer<typeof TaskStatus>

/** What was done, as closed words so that it can be counted. Free words go into the note. */
export const dispositionCodes = [
  'contacted-patient',
  'treatment-changed',
  'repeat-measurement',
  'referred',
  'emergency-services',
  'contents-moved',
  'stock-quarantined',
  'equipment-corrected',
  'no-action-needed',
  'false-alarm',
] as const
export const DispositionCode = z.enum(dispositionCodes)
export type DispositionCode = z.infer<typeof DispositionCode>

export interface DispositionKind {
  readonly code: DispositionCode
  readonly label: string
  /** Kinds of subject it makes sense for. */
  readonly for: readonly SubjectKind[]
  /** Saying that nothing was needed takes a reason. */
  readonly needsNote: boolean
}

/** In the order a form shows them. */
export const dispositions: readonly DispositionKind[] = [
  { code: 'contacted-patient', label: 'Spoke with the patient', for: ['patient'], needsNote: false },
  { code: 'repeat-measurement', label: 'Repeat measurement asked for', for: ['patient'], needsNote: false },
  { code: 'treatment-changed', label: 'Treatment changed', for: ['patient'], needsNote: true },
  { code: 'referred', label: 'Handed to another clinician', for: ['patient'], needsNote: true },
  { code: 'emergency-services', label: 'Emergency services called', for: ['patient'], needsNote: true },
  {
    code: 'equipment-corrected',
    label: 'Door, power or setting corrected',
    for: ['location', 'asset'],
    needsNote: false,
  },
  { code: 'contents-moved', label: 'Contents moved to another unit', for: ['location', 'asset'], needsNote: false },
  {
    code: 'stock-quarantined',
    label: 'Stock quarantined, do not use',
    for: ['location', 'asset'],
    needsNote: false,
  },
  {
    code: 'no-action-needed',
    label: 'Reviewed, no action needed',
    for: ['patient', 'location', 'asset'],
    needsNote: true,
  },
  { code: 'false-alarm', label: 'Not a true reading', for: ['patient', 'location', 'asset'], needsNote: true },
]

export const DispositionOption = z.object({ code: DispositionCode, label: z.string(), needsNote: z.boolean() })
export type DispositionOption = z.infer<typeof DispositionOption>

/** One row of GET /api/v1/worklist. */
export const WorklistRow = z
  .object({
    task: Id,
    alert: Id,
    subject: SubjectRef,
    priority: Priority,
    nature: AlertBody.shape.nature,
    /** "Blood pressure severely high", without a name. */
    title: z.string(),
    /** "BP 192/124 mmHg, at or above 180/120 since 10:02". Times in the subject's time zone. */
    sentence: z.string(),
    value: ShownValue,
    raisedAt: Instant,
    dueAt: Instant,
    /** When the time limit that ends at `dueAt` began to run: later than `raisedAt` for what came late or came back. Always sent. */
    limitFrom: Instant.optional(),
    owner: StaffRef,
    claimedBy: StaffRef.optional(),
    status: TaskStatus,
    condition: AlertCondition,
    /** A review of something found late: nobody is paged. */
    historic: z.boolean(),
    /** Its readings were moved to somebody else by a corrected assignment; `sentence` says so. Absent = no. */
    wrongSubject: z.literal(true).optional(),
    /** `new` again after a recurrence, although `claimedBy` keeps the task: it waits for their renewed look. Always sent. */
    handling: Handling.optional(),
    /** How often the condition came back since the task was opened. Always sent. */
    recurrences: z.int().optional(),
    program: ProgramRef,
    /** Whoever answers when the owner does not; told when the limit passes. */
    backup: StaffRef.optional(),
    /** Put off by `snoozedBy` until then; never beyond `dueAt`. It shows, greyed, and escalation goes on. */
    snoozedUntil: Instant.optional(),
    /** How far it was escalated: 0 = owner only, 1 = backup, 2 = everybody of the owner's role. Always sent. */
    escalation: z.int().optional(),
    /** Grows with each change of the task: send it back when acting, to act on what was seen. */
    version: z.int(),
  })
  .meta({ id: 'WorklistRow' })
export type WorklistRow = z.infer<typeof WorklistRow>

/** GET /api/v1/worklist: open and claimed tasks, overdue first, then by priority and due time. */
export const Worklist = z.object({
  rows: z.array(WorklistRow),
  /** How many there are in all; `rows` holds at most 500. */
  total: z.int(),
  /** The server's clock when this was read, so that ages are right on a wrong clock. */
  at: Instant,
})
export type Worklist = z.infer<typeof Worklist>

export const TaskEventBody = z.object({
  /** `evidence-changed`: a corrected assignment moved readings of its alert to somebody else, or back. */
  what: z.enum([
    'opened',
    'recurred',
    'evidence-changed',
    'claimed',
    'acknowledged',
    'released',
    'snoozed',
    'handed-off',
    'escalated',
    'completed',
    'reopened',
  ]),
  at: Instant,
  by: StaffRef.optional(),
  /** Of `handed-off` and `escalated`: who has it now, or was told. */
  to: z.array(StaffRef).optional(),
  /** Of `claimed`, past its time limit: who had it until then. */
  from: StaffRef.optional(),
  /** Of `handed-off`: what was said to the colleague. */
  note: z.string().optional(),
})
export type TaskEventBody = z.infer<typeof TaskEventBody>

/** GET /api/v1/tasks/:id, and the answer to a claim or a completion. */
export const TaskBody = WorklistRow.extend({
  handling: Handling,
  rule: RuleRef,
  checklist: z.array(z.string()),
  /** What may be chosen when completing, for this kind of subject. */
  dispositions: z.array(DispositionOption),
  claimedAt: Instant.optional(),
  completedAt: Instant.optional(),
  completedBy: StaffRef.optional(),
  disposition: DispositionCode.optional(),
  note: z.string().optional(),
  /** While the condition stands, what `rearm: worse` would mean: "10 mmHg above the worst so far"; null = not offered. */
  worseMeans: z.string().nullable().optional(),
  /** Until when whoever completed it may take that back; absent = no more. */
  reopenUntil: Instant.optional(),
  events: z.array(TaskEventBody),
}).meta({ id: 'Task' })
export type TaskBody = z.infer<typeof TaskBody>

/** `version` of the task as it was seen: 409 `task-moved` when something happened since. Absent = not checked. */
const SeenVersion = z.int().min(1).optional()

/**
 * POST /api/v1/tasks/:id/claim?version=&takeOver=true. `takeOver`: from a colleague who has it, once it is overdue; before that
 * 409 says who has it.
 */
export const ClaimTask = z.object({
  version: z.coerce.number().int().min(1).optional(),
  takeOver: z.stringbool().default(false),
})
export type ClaimTask = z.infer<typeof ClaimTask>

/** POST /api/v1/tasks/:id/acknowledge, /release, /reopen: body-less; `?version=` as for a claim. */
export const SeenTask = z.object({ version: z.coerce.number().int().min(1).optional() })
export type SeenTask = z.infer<typeof SeenTask>

/** POST /api/v1/tasks/:id/snooze: own tasks of medium and low priority only, and never beyond their due time. 0 = no longer. */
export const SnoozeTask = z.strictObject({
  minutes: z.union([z.literal(0), z.int().min(5).max(480)]),
  version: SeenVersion,
})
export type SnoozeTask = z.infer<typeof SnoozeTask>

/** POST /api/v1/tasks/:id/hand-off: to a colleague, who is told; the due time stays. */
export const HandOffTask = z.strictObject({
  to: z.string().min(1).max(64),
  note: z.string().max(1000).default(''),
  version: SeenVersion,
})
export type HandOffTask = z.infer<typeof HandOffTask>

/** What re-arms an alert that is closed while its condition stands. */
export const Rearm = z.discriminatedUnion('until', [
  z.strictObject({ until: z.literal('cleared') }),
  z.strictObject({ until: z.literal('worse') }),
  z.strictObject({ until: z.literal('time'), at: Instant }),
])
export type Rearm = z.infer<typeof Rearm>

/** POST /api/v1/tasks/:id/complete */
export const CompleteTask = z
  .object({
    disposition: DispositionCode,
    /** Needed by some dispositions, and by every one while the condition stands: `dispositions[].needsNote` says when. */
    note: z.string().max(4000).default(''),
    /** What was ticked off, by position in `checklist`. */
    checked: z.array(z.int().min(0)).max(50).default([]),
    /** Only while the condition stands; absent = until it has cleared once. */
    rearm: Rearm.optional(),
    version: SeenVersion,
  })
  .meta({ id: 'CompleteTask' })
export type CompleteTask = z.infer<typeof CompleteTask>

/** 409 to a claim or completion when a colleague has the task: says who, so that they can talk. */
export const TaskTaken = OperationOutcome.extend({ claimedBy: StaffRef, claimedAt: Instant }).meta({ id: 'TaskTaken' })
export type TaskTaken = z.infer<typeof TaskTaken>
