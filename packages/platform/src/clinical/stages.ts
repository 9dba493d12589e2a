/** Work of this room in the background. */
export { clinicalObservationsStage } from './derive/observations-stage.ts'
export { clinicalViewsStage } from './views/views-stage.ts'
