/** Alerting: rules on the reading log become alerts. Owns program, rule, rule_version, rule_override, alert, alert_event, checkpoints. */
export { activateProgram } from './activate-program.ts'
export { type Alerting, makeAlerting } from './alerting.ts'
export { type Alert, alertById, alertsOf, conditionOf, naturesOf, titlesOf } from './alerts.ts'
export { programSignals, programSignalsWithin, thingOf, thingsOfAlerts } from './consented.ts'
export { alertingErrors } from './errors.ts'
export { alertingFacts } from './facts.ts'
export { alertingViews } from './fhir-views.ts'
export { forgetAlerts } from './forget-alerts.ts'
export { acknowledgeAlert, canWorsen, closeAlert, maxRearmMs, reopenAlert, worseMeans } from './handling.ts'
export { type Members, peopleWith, type Staff } from './members.ts'
export { openAlertsOf } from './open-alerts.ts'
export { readProgram, readPrograms } from './program-files.ts'
export { activeProgramKind, type InstalledProgram } from './programs.ts'
export { releaseAlert } from './release.ts'
export {
  alertBody,
  programRef,
  ruleRef,
  type StaffNames,
  shownSentence,
  staffNamesOf,
  staffRef,
  subjectRef,
  thresholdsOf,
} from './shown.ts'
export { spansOf } from './spans.ts'
export { type AlertingOptions, alertingProgress, alertingStage, alertingUpkeepStage } from './stages.ts'
