export { quarantineStage } from './quarantine/project.ts'
