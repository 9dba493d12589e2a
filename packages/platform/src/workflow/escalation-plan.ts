/** When who is told next, as a pure plan: docs/notifications.md says it in words. */
import type { Priority } from '@careloop/contract'

/** 0: the owner is reminded; 1: the backup is told; 2: everybody who holds the owner's role is told. */
export type Step = 0 | 1 | 2

export interface Escalating {
  readonly priority: Priority
  /** Told in the pages only, and no further than to the backup. */
  readonly quiet: boolean
  /** When the first page went out: escalation counts from there. */
  readonly pagedAt: number
  readonly dueAt: number
  /** How far it went: 0, 1 or 2. */
  readonly escalation: number
}

export interface Planned {
  readonly step: Step
  readonly at: number
}

/** Half of the time limit, as it was given when the first page went out, ms. */
export const halfOf = ({ pagedAt, dueAt }: Pick<Escalating, 'pagedAt' | 'dueAt'>): number =>
  Math.max(0, Math.round((dueAt - pagedAt) / 2))

/**
 * What comes after somebody was told at `from`: by the first page, a recurrence, a hand-off or an escalation. Steps are counted from
 * when the one before was really told, so that a server that was down all night does not call everybody in its first second.
 */
export function nextStep(task: Escalating, from: number): Planned | null {
  if (task.escalation === 0) {
    const remindAt = from + halfOf(task)
    if (task.priority === 'high' && !task.quiet && remindAt < task.dueAt) return { step: 0, at: remindAt }
    // Told past the limit, by a hand-off or a release: whoever has it now gets half a limit, and not none.
    return { step: 1, at: from > task.dueAt ? from + halfOf(task) : task.dueAt }
  }
  if (task.escalation === 1 && !task.quiet) return { step: 2, at: from + halfOf(task) }
  return null
}
