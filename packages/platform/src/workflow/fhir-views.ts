/** What this room shows as FHIR: tasks as Task, and whom they were told to as Communication. */
import type { View, ViewedThrough } from '../clinical/index.ts'
import type { Engine } from '../engine/index.ts'
import { taskView } from './fhir/task-view.ts'

export const workflowViews = (engine: Engine, clinical: ViewedThrough): readonly View[] => [taskView(engine, clinical)]
