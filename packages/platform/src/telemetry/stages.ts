export { measurementDaysStage } from './days-stage.ts'
export { type TelemetryOptions, telemetryStage } from './telemetry-stage.ts'
export { type UpkeepOptions, upkeepStage } from './upkeep-stage.ts'
