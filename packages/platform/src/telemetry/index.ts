/** Telemetry: what was measured, over time. Owns series, sample (open), chunk (sealed), gap. */
export { type CivilDay, civilDate, civilDay } from './civil-day.ts'
export { type KeptReading, toReadings } from './codec/columns.ts'
export { eraseReadings } from './erase-readings.ts'
export { telemetryErrors } from './errors.ts'
export { forgetReadings } from './forget-readings.ts'
export { type Glance, type Glanced, type GlanceQuestion, makeGlance, type TraceStep } from './glance.ts'
export { type Freshness, type LatestValue, latest } from './latest.ts'
export { spanStart } from './phase.ts'
export { type Gap, readGaps } from './read-gaps.ts'
export {
  type BucketPoint,
  readSeries,
  type SeriesAnswer,
  type SeriesPart,
  type SeriesQuestion,
} from './read-series.ts'
export { readSpans, type SpanReadings, spanOfReadings } from './read-spans.ts'
export { type RetentionPolicy, retireChunks } from './retention.ts'
export type { GapReason } from './schema.ts'
export {
  findSeries,
  graceMs,
  type Series,
  type SeriesChoice,
  signalsOfSeries,
  subjectsOfSeries,
} from './series.ts'
export { telemetryProgress } from './telemetry-stage.ts'
export { type Lived, livedOf, spanAt, type ZoneSpan, zoneAt } from './zones.ts'
