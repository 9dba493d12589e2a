export { keyUpkeepStage } from './keys/upkeep.ts'
export { type RetentionOptions, retentionStage } from './log/retention.ts'
