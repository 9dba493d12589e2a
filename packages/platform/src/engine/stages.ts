export { type RetentionOptions, retentionStage } from './log/retention.ts'
