/** Views of rooms that stand before this one. Later rooms bring their own. */
import type { Engine } from '../../engine/index.ts'
import { carePlanView } from './care-plan-view.ts'
import { careTeamView, patientTeamView } from './care-team-view.ts'
import { caregiverView } from './caregiver-view.ts'
import { consentView } from './consent-view.ts'
import { deviceView } from './device-view.ts'
import { placesView } from './places-view.ts'
import { staffView } from './staff-view.ts'
import { subjectView } from './subject-view.ts'
import type { PatientIds, View } from './view.ts'

/** In this order: what others point to comes first. */
export const ownViews = (engine: Engine, clinical: PatientIds): readonly View[] => [
  placesView(engine),
  staffView(engine),
  subjectView(engine),
  careTeamView(engine),
  patientTeamView(engine, clinical),
  caregiverView(engine, clinical),
  consentView(engine, clinical),
  carePlanView(engine, clinical),
  deviceView(engine, clinical),
]
