/** What this room shows as FHIR: programs as PlanDefinition, alerts as DetectedIssue and Flag. */
import type { View, ViewedThrough } from '../clinical/index.ts'
import type { Engine } from '../engine/index.ts'
import { alertView } from './fhir/alert-view.ts'
import { programView } from './fhir/program-view.ts'

export const alertingViews = (engine: Engine, clinical: ViewedThrough): readonly View[] => [
  programView(engine),
  alertView(engine, clinical),
]
