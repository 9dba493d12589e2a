/** A program: who is watched, by which rules, who acts on what, by when. Written as YAML by clinical and operations people. */
import type { Priority, Role, SubjectKind } from '@careloop/contract'
import type { RuleBody } from '../rule.ts'
import { programFailure } from './errors.ts'

/** What is at fault when the rule raises: a person's body, a place or thing, or the system and its devices. */
export type Nature = 'physiological' | 'environmental' | 'technical'

export interface ProgramRule {
  /** Unique within the program, for ever: alerts and history hang on it. */
  readonly code: string
  readonly title: string
  /** IEC 60601-1-8, from severity of harm and how soon it may come. */
  readonly priority: Priority
  readonly nature: Nature
  /** The evidence or guideline behind the limits. */
  readonly why: string
  readonly body: RuleBody
  /** Who acts: the role, its backup, what is expected, and within what time (ms). A draft may lack them. */
  readonly owner?: Role
  readonly backup?: Role
  readonly action?: string
  readonly limitMs?: number
  readonly checklist: readonly string[]
  /** Templates: `{signal}`, `{since}`, `{for}`, `{count}`. */
  readonly value: string
  readonly unit: string
  readonly sentence: string
}

export interface Program {
  readonly code: string
  readonly title: string
  readonly subjectKind: SubjectKind
  /** Of a program under 42 CFR Part 2: its alerts, their tasks and what only it measures are shared by a consent that names it. */
  readonly label?: 'part2'
  readonly use: string
  /** What it is not for; shown wherever it is activated. */
  readonly notice: string
  readonly rules: readonly ProgramRule[]
}

/** A rule that somebody answers for. */
export type OwnedRule = ProgramRule & Required<Pick<ProgramRule, 'owner' | 'backup' | 'action' | 'limitMs'>>

/**
 * A rule that nobody answers for may be drafted and never be switched on.
 * @throws Failure `rule-incomplete` with a pointer to what is missing
 */
export function assertOwned(rule: ProgramRule, pointer: string): asserts rule is OwnedRule {
  const parts = [
    ['owner', 'the role that acts'],
    ['backup', 'the role that acts when the owner does not'],
    ['action', 'what the owner is expected to do'],
    ['limitMs', 'the time within which it is done'],
  ] as const
  for (const [part, meaning] of parts) {
    if (rule[part] !== undefined && rule[part] !== '') continue
    const field = part === 'limitMs' ? 'limit' : part
    throw programFailure('rule-incomplete', `Rule ${rule.code} cannot be activated: name ${meaning}.`, {
      pointer: `${pointer}/${field}`,
    })
  }
  if (rule.owner !== rule.backup) return
  throw programFailure('rule-incomplete', `Rule ${rule.code} cannot be activated: owner and backup are one role.`, {
    pointer: `${pointer}/backup`,
  })
}
