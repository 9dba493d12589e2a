export { quarantineStage } from './quarantine/project.ts'
export { quarantineRetentionStage } from './quarantine/retention.ts'
