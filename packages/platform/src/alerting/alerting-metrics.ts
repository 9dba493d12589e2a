import { Counter, Gauge, type Registry } from 'prom-client'

/** Alerting's metrics; the same ones when asked again for the same registry. Labels are codes of programs, never ids. */
export function alertingMetrics(registry: Registry) {
  const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
    (registry.getSingleMetric(name) as Counter | undefined) ??
    new Counter({ name, help, labelNames, registers: [registry] })
  const gauge = (name: string, help: string): Gauge =>
    (registry.getSingleMetric(name) as Gauge | undefined) ?? new Gauge({ name, help, registers: [registry] })
  return {
    behindCommits: gauge(
      'careloop_alerting_behind_commits',
      'Commits of the log that are not known to be evaluated yet',
    ),
    behindSeconds: gauge(
      'careloop_alerting_behind_seconds',
      'Age of the oldest commit that is not known to be evaluated yet; 0 = none waits',
    ),
    told: counter(
      'careloop_alerting_transitions_total',
      'What rules told: raised, found-late, cleared, evidence-changed, rule-failed, not-judged, state-lost',
      ['program', 'rule', 'outcome'],
    ),
    unreachableRules: gauge(
      'careloop_alerting_unreachable_rules',
      "Active rules whose owner's or backup's role nobody has: their alerts would reach nobody",
    ),
    ownerlessEnrolments: gauge(
      'careloop_alerting_ownerless_enrolments',
      'Open enrolments whose owner no longer works here',
    ),
    marked: counter('careloop_alerting_marks_total', 'Alerts marked by corrected assignments', ['outcome']),
    statesLost: counter(
      'careloop_alerting_states_lost_total',
      'Subjects whose kept state could not be opened: what was pending of them is forgotten, and their rules began anew',
    ),
    overridesUnreadable: counter(
      'careloop_alerting_overrides_unreadable_total',
      "Limits of one subject that could not be opened: the program's own limits stand instead",
    ),
    mismatches: counter(
      'careloop_alerting_replay_mismatches_total',
      'Transitions that a replay told otherwise than before: a bug, please report it',
    ),
  }
}
