/** Alerting: rules on the reading log become alerts. Owns program, rule, rule_version, alert, alert_event, checkpoints. */
export { type Alerting, makeAlerting } from './alerting.ts'
export { type Alert, acknowledgeAlert, alertById, alertsOf, closeAlert, conditionOf } from './alerts.ts'
export { alertingErrors } from './errors.ts'
export { alertingFacts } from './facts.ts'
export { activateProgram, type InstalledProgram, isActiveProgram, readProgram, readPrograms } from './programs.ts'
export { openAlertsOf } from './open-alerts.ts'
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
export { type AlertingOptions, alertingProgress, alertingStage } from './stages.ts'
