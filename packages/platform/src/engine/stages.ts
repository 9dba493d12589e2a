export { backupStage } from './backup/backup-stage.ts'
export { keyUpkeepStage } from './keys/upkeep.ts'
export { type RetentionOptions, retentionStage } from './log/retention.ts'
