export * from './fact.ts'
export * from './failure.ts'
export * from './log-entry.ts'
export * from './reading.ts'
