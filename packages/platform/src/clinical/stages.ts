/** Work of this room in the background. */
export { clinicalObservationsStage } from './derive/observations-stage.ts'
export { exportStage } from './export/run-export.ts'
export { clinicalViewsStage } from './views/views-stage.ts'
