/** Everything that the rooms show as FHIR: what others point to comes first. */
import { alertingViews } from '../alerting/index.ts'
import { type Clinical, type KeepingViews, ownViews } from '../clinical/index.ts'
import type { Engine } from '../engine/index.ts'
import { workflowViews } from '../workflow/index.ts'

export const fhirViews = (engine: Engine, clinical: Clinical): KeepingViews => ({
  clinical,
  views: [ownViews, alertingViews, workflowViews].flatMap((of) => of(engine, clinical)),
})
