/** What the evaluator holds of one subject. */
import type { BySignal } from './collect.ts'
import type { WatchedDevice } from './hearing.ts'
import type { RuleState } from './track.ts'

export interface SubjectState {
  readonly subject: string
  readonly rules: RuleState[]
  /** Rules that fold measurements, by the signals they read. */
  readonly bySignal: BySignal
  /** Absence rules. */
  readonly absences: readonly RuleState[]
  /** What the subject wears now; null when nobody said: devices are then known by what they measure. */
  readonly devices: readonly WatchedDevice[] | null
}

export function subjectState(
  subject: string,
  rules: RuleState[],
  devices: readonly WatchedDevice[] | null,
): SubjectState {
  const bySignal: BySignal = new Map()
  for (const state of rules) {
    if (state.spec.compiled.isAbsence) continue
    state.spec.compiled.signals.forEach((signal, slot) => {
      const entries = bySignal.get(signal) ?? []
      entries.push({ state, slot })
      bySignal.set(signal, entries)
    })
  }
  const absences = rules.filter((state) => state.spec.compiled.isAbsence)
  return { subject, rules, bySignal, absences, devices }
}
