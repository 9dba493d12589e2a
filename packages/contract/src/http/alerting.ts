/**
 * HTTP bodies of programs, rules and alerts. Every number stands beside its unit (UCUM code and what people read), every
 * instant is ms since epoch.
 */
import { z } from 'zod'
import { Id, Instant } from './common.ts'
import { Role } from './identity.ts'
import { SubjectKind } from './subjects.ts'

/** IEC 60601-1-8 alarm priority: by what may happen without a response, and how soon. */
export const priorities = ['high', 'medium', 'low'] as const
export const Priority = z.enum(priorities)
export type Priority = z.infer<typeof Priority>

/** Whether the condition is there now. Never one word with what people did about it (`Handling`). */
export const AlertCondition = z.enum(['active', 'cleared'])
export type AlertCondition = z.infer<typeof AlertCondition>

/** What people did about an alert; open = not closed. */
export const Handling = z.enum(['new', 'acknowledged', 'closed'])
export type Handling = z.infer<typeof Handling>

/** Who or what an alert or task is about. `name` is for display and comes decrypted: do not store it. */
export const SubjectRef = z.object({ id: Id, name: z.string(), kind: SubjectKind })
export type SubjectRef = z.infer<typeof SubjectRef>

/** A member of staff as colleagues see them. */
export const StaffRef = z.object({ id: z.string(), name: z.string() })
export type StaffRef = z.infer<typeof StaffRef>

/** A value as people read it: `text` "192/124", `unit` "mmHg". */
export const ShownValue = z.object({ text: z.string(), unit: z.string(), measuredAt: Instant })
export type ShownValue = z.infer<typeof ShownValue>

/** Where an entry stands in the reading log: lineage from an alert to the bytes a device sent. */
export const LogAddressBody = z.object({ partition: z.int(), position: z.int(), index: z.int() })
export type LogAddressBody = z.infer<typeof LogAddressBody>

/** A limit to draw as a thin line over the readings of `signal`. `role`: what raises, or what must be passed to clear. */
export const DrawnThreshold = z.object({
  signal: z.string(),
  label: z.string(),
  role: z.enum(['raise', 'clear']),
  comparator: z.enum(['>', '>=', '<', '<=']),
  limit: z.number(),
  unit: z.string(),
  ucum: z.string(),
  /** Which limit of the rule it is: edits and overrides name it so. Absent: it can be read only. */
  part: z.enum(['when', 'clear']).optional(),
  index: z.int().optional(),
})
export type DrawnThreshold = z.infer<typeof DrawnThreshold>

/** One reading that made the alert, in the signal's canonical unit. */
export const EvidenceReading = z.object({
  signal: z.string(),
  label: z.string(),
  value: z.number(),
  /** Of a meter's LOW or HIGH: the value is only known to lie beyond. */
  comparator: z.enum(['<', '>']).optional(),
  unit: z.string(),
  ucum: z.string(),
  measuredAt: Instant,
  receivedAt: Instant,
  storedAt: Instant,
  device: Id,
  groupId: z.string().optional(),
  /** What was found odd about it; people are shown the words. */
  flags: z.array(z.enum(['clock-in-future', 'clock-unset', 'implausible', 'historic'])).optional(),
  /** True when this reading by itself met the rule's condition. */
  breach: z.boolean(),
  address: LogAddressBody,
})
export type EvidenceReading = z.infer<typeof EvidenceReading>

/** The bytes a device sent, as they came. `expired`: too large or too old to have been copied; the hash is what remains. */
export const EvidenceFrame = z.object({
  address: LogAddressBody,
  device: Id,
  door: z.string(),
  format: z.string(),
  receivedAt: Instant,
  sha256: z.string(),
  sizeBytes: z.int(),
  state: z.enum(['kept', 'expired']),
  base64: z.string().optional(),
})
export type EvidenceFrame = z.infer<typeof EvidenceFrame>

/** One line of what happened to an alert, oldest first. `at` is event time, `recordedAt` when Careloop knew. */
export const AlertEventBody = z.object({
  /** `wrong-subject`: a correction moved its readings to somebody else; `right-subject`: a later one moved them back. */
  what: z.enum([
    'raised',
    'cleared',
    'recurred',
    'evidence-changed',
    'found-late',
    'wrong-subject',
    'right-subject',
    'acknowledged',
    'released',
    'closed',
    'reopened',
  ]),
  at: Instant,
  recordedAt: Instant,
  /** Of `cleared`: no reading said so, the enrolment ended or the rule went. */
  why: z.enum(['no-longer-watched']).optional(),
  /** Of `closed` while the condition stood; absent = until it has cleared once. */
  rearm: z
    .discriminatedUnion('until', [
      z.object({ until: z.literal('worse') }),
      z.object({ until: z.literal('time'), at: Instant }),
    ])
    .optional(),
  by: StaffRef.optional(),
})
export type AlertEventBody = z.infer<typeof AlertEventBody>

/** A time in which an alert's condition stood; `to` null = it stands. Of a moment that was found late both are the same. */
export const AlertSpan = z.object({ from: Instant, to: Instant.nullable() })
export type AlertSpan = z.infer<typeof AlertSpan>

export const AlertBody = z.object({
  id: Id,
  subject: SubjectRef,
  priority: Priority,
  /** `technical`: the system or a device is at fault, not the patient or the fridge. */
  nature: z.enum(['physiological', 'environmental', 'technical']),
  condition: AlertCondition,
  handling: Handling,
  /** Found more than 15 min after it happened: nobody was paged. */
  historic: z.boolean(),
  /** Raised by readings that a corrected assignment moved to somebody else; `sentence` says so. Absent = no. */
  wrongSubject: z.literal(true).optional(),
  sentence: z.string(),
  raisedAt: Instant,
  clearedAt: Instant.optional(),
  closedAt: Instant.optional(),
})
export type AlertBody = z.infer<typeof AlertBody>

/** What a rule looks for: a value, how often, how fast it changes, that nothing comes. */
export const RuleKind = z.enum(['threshold', 'count', 'rate', 'absence'])
export type RuleKind = z.infer<typeof RuleKind>

export const RuleRef = z.object({
  id: Id,
  code: z.string(),
  title: z.string(),
  version: z.int(),
  /** The rule in words: "Systolic at or above 180 mmHg, or diastolic at or above 120 mmHg." */
  condition: z.string(),
  ownerRole: Role,
  backupRole: Role,
  /** What the owner is expected to do. */
  action: z.string(),
  limitMs: z.int(),
})
export type RuleRef = z.infer<typeof RuleRef>

export const ProgramRef = z.object({ code: z.string(), title: z.string() })
export type ProgramRef = z.infer<typeof ProgramRef>

/**
 * A changed limit. `when`, `clear`: the limit of that index; `unit` is any accepted UCUM unit of the signal, converted and checked.
 * Of a rule of the kind absence `after` is its span (unit s, min, h, d), of rate `by` is its change, of count `count` its number
 * (unit 1); those have index 0.
 */
export const LimitEdit = z.strictObject({
  part: z.enum(['when', 'clear', 'after', 'by', 'count']),
  index: z.int().min(0).max(31),
  limit: z.number(),
  unit: z.string().min(1).max(32),
})
export type LimitEdit = z.infer<typeof LimitEdit>

/** A limit of one rule set for one subject, by whom, why, until when. */
export const OverrideBody = z
  .object({
    id: Id,
    subject: Id,
    rule: Id,
    limits: z.array(LimitEdit),
    reason: z.string(),
    author: StaffRef,
    createdAt: Instant,
    expiresAt: Instant,
    endedAt: Instant.optional(),
  })
  .meta({ id: 'Override' })
export type OverrideBody = z.infer<typeof OverrideBody>

/** GET /api/v1/alerts/:id/explain: why this alert exists, and what proves it. Stays answerable after the log let go. */
export const ExplainBody = z
  .object({
    alert: AlertBody,
    program: ProgramRef,
    rule: RuleRef,
    checklist: z.array(z.string()),
    thresholds: z.array(DrawnThreshold),
    readings: z.array(EvidenceReading),
    frames: z.array(EvidenceFrame),
    /** How many older readings of the same breach were not copied (evidence is bounded to 64 kB). */
    readingsLeftOut: z.int(),
    events: z.array(AlertEventBody),
    /** When its condition stood, oldest first; see SubjectAlerts. */
    spans: z.array(AlertSpan).min(1),
    /** What kind of rule raised it. */
    kind: RuleKind,
    /** The limit of this subject that stood when it was raised; `thresholds` and `rule.condition` are with it. */
    override: OverrideBody.optional(),
    /** Of a silence there is no reading that shows it: `readings` are the last before it, as far as the log still has them. */
    silence: z.literal(true).optional(),
  })
  .meta({ id: 'Explain' })
export type ExplainBody = z.infer<typeof ExplainBody>

/** POST /api/v1/subjects/:id/overrides; it takes the place of one that stands for the same rule. At most a year. */
export const NewOverride = z.strictObject({
  rule: Id,
  limits: z.array(LimitEdit).min(1).max(32),
  reason: z.string().trim().min(3).max(1000),
  expiresAt: Instant,
})
export type NewOverride = z.infer<typeof NewOverride>

/** GET /api/v1/subjects/:id/overrides: newest first, ended ones too. */
export const OverrideList = z.object({ items: z.array(OverrideBody) })
export type OverrideList = z.infer<typeof OverrideList>

/** GET /api/v1/subjects/:id/rules: what stands for this subject now, thresholds with overrides applied. */
export const SubjectRules = z.object({
  rules: z.array(
    z.object({
      rule: RuleRef,
      program: ProgramRef,
      priority: Priority,
      nature: AlertBody.shape.nature,
      kind: RuleKind,
      signals: z.array(z.string()),
      thresholds: z.array(DrawnThreshold),
      override: OverrideBody.optional(),
    }),
  ),
})
export type SubjectRules = z.infer<typeof SubjectRules>

/** GET /api/v1/subjects/:id/alerts?from&to: alerts that stood in [from, to), newest first; their spans shade a chart. */
export const SubjectAlerts = z.object({
  items: z.array(
    AlertBody.extend({
      ...{ program: ProgramRef, ruleCode: z.string(), title: z.string(), signals: z.array(z.string()) },
      /** Oldest first, one more with each time that it came back: between them the condition did not stand. Never empty. */
      spans: z.array(AlertSpan).min(1),
    }),
  ),
})
export type SubjectAlerts = z.infer<typeof SubjectAlerts>

/** Alerts that stood in [from, to); without them all, at most 500. */
export const SubjectAlertsQuery = z.object({
  from: z.coerce.number().pipe(Instant).optional(),
  to: z.coerce.number().pipe(Instant).optional(),
})
export type SubjectAlertsQuery = z.infer<typeof SubjectAlertsQuery>

/** Who changed a rule here, when and why. */
export const RuleNoteBody = z.object({ at: Instant, by: StaffRef, reason: z.string() })
export type RuleNoteBody = z.infer<typeof RuleNoteBody>

export const ProgramRule = RuleRef.extend({
  priority: Priority,
  nature: AlertBody.shape.nature,
  state: z.enum(['active', 'inactive']),
  checklist: z.array(z.string()),
  thresholds: z.array(DrawnThreshold),
  kind: RuleKind.optional(),
  /** The evidence or guideline behind the limits. */
  why: z.string().optional(),
  holdMs: z.int().optional(),
  /** How many people the roles reach now; 0 of either keeps a rule from being activated. */
  reach: z.object({ owner: z.int(), backup: z.int() }).optional(),
  /** What keeps it from being active, in words. */
  problem: z.string().optional(),
  /**
   * Edited here: activating the program again leaves it as it is, until somebody takes over what the program's file says
   * (`fileSays`, in words) with POST .../rules/:rule/take-file.
   */
  edited: RuleNoteBody.extend({ fileSays: z.string().optional() }).optional(),
  /** Somebody switched it off: activating the program again leaves it off. */
  switchedOff: RuleNoteBody.optional(),
})
export type ProgramRule = z.infer<typeof ProgramRule>

/** GET /api/v1/programs */
export const ProgramBody = ProgramRef.extend({
  use: z.string(),
  subjectKind: SubjectKind,
  /** Shown wherever the program is activated: what it is not for. */
  notice: z.string(),
  rules: z.array(ProgramRule),
  /** `available`: comes with Careloop and was never activated here. */
  state: z.enum(['active', 'inactive', 'available']).optional(),
  /** Open enrolments. */
  enrolled: z.int().optional(),
  /** What is wrong with it as a whole, in words: enrolments whose owner left. */
  problem: z.string().optional(),
  /** Those enrolments, for whoever may know of such subjects. */
  ownerless: z.array(z.object({ enrolment: Id, subject: Id })).optional(),
}).meta({ id: 'Program' })
export type ProgramBody = z.infer<typeof ProgramBody>

export const ProgramList = z.object({ programs: z.array(ProgramBody) })
export type ProgramList = z.infer<typeof ProgramList>

/** POST /api/v1/programs/:code/activate. `noticeSeen`: the person was shown what the program is not for. */
export const ActivateProgram = z.strictObject({ noticeSeen: z.literal(true) })
export type ActivateProgram = z.infer<typeof ActivateProgram>

/**
 * PUT /api/v1/programs/:code/rules/:rule: a new version of one rule; what is left out stays. `version` is the one that was
 * read: another one meanwhile answers 409 `rule-moved`. Also POST .../rules/:rule/deactivate (with a reason) and .../activate.
 */
export const RuleEdit = z.strictObject({
  version: z.int().min(1),
  limits: z.array(LimitEdit).max(32).default([]),
  holdMs: z
    .int()
    .min(0)
    .max(30 * 86_400_000)
    .optional(),
  limitMs: z
    .int()
    .min(60_000)
    .max(30 * 86_400_000)
    .optional(),
  ownerRole: Role.optional(),
  backupRole: Role.optional(),
  action: z.string().trim().min(3).max(1000).optional(),
  reason: z.string().trim().min(3).max(1000),
})
export type RuleEdit = z.infer<typeof RuleEdit>
/** POST /api/v1/programs/:code/rules/:rule/take-file: what the program's file says takes the place of what was edited here. */
export const TakeFile = z.strictObject({ version: z.int().min(1), reason: z.string().trim().min(3).max(1000) })
export type TakeFile = z.infer<typeof TakeFile>
export const DeactivateRule = z.strictObject({ reason: z.string().trim().min(3).max(1000) })
export type DeactivateRule = z.infer<typeof DeactivateRule>
