/** What the evaluator tells, and how it is put together from what is known of a subject and its machine. */
import type { EpochMs } from '@careloop/contract'
import { copyPoint, type Machine, type Point } from './machine.ts'
import type { SubjectState } from './subject-state.ts'
import type { RuleState } from './track.ts'

/** What the evaluator tells (its caller `not-judged`: readings came that the log no longer has; `state-lost`: what was kept of a subject could not be opened). `at` is event time; `historic`: found too late to page anybody. */
export interface Transition {
  readonly what: 'raised' | 'cleared' | 'evidence-changed' | 'rule-failed' | 'not-judged' | 'state-lost'
  readonly subject: string
  readonly rule: string
  readonly version: number
  readonly enrolment: string
  readonly focus: string
  readonly at: EpochMs
  readonly historic: boolean
  /** For `cleared`: nobody said that it is well, the enrolment ended or the rule went. */
  readonly why?: 'no-longer-watched'
  /** Found by correcting who wore a device. */
  readonly byCorrection?: true
  /** For `raised`: since when it stood, and the measurements that show it. */
  readonly breach?: Breach
  /** For `raised`: an alert closed while its condition stood is told again, since it is worse by a step or its time came. */
  readonly again?: 'worse' | 'time'
  /** For `evidence-changed`: the late measurement. */
  readonly late?: Point
  /** For `rule-failed`: the error's name, never values. */
  readonly error?: string
}

export interface Breach {
  readonly since: EpochMs
  /** The measurements that show it; none for an absence. */
  readonly points: readonly Point[]
  readonly leftOut: number
  /** Of an absence: when it was heard last; null: never since it is watched. */
  readonly last?: EpochMs | null
}

/** Whose transition it is, and of which rule. */
export const about = (subject: SubjectState, { spec }: RuleState) => ({
  subject: subject.subject,
  rule: spec.rule,
  version: spec.version,
  enrolment: spec.enrolment,
})

export const breachOf = (by: Machine) => ({
  since: by.breachSince ?? by.raisedAt!,
  points: by.evidence.map(copyPoint),
  leftOut: by.evidenceLeftOut,
})
