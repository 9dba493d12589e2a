export { assertDurable, assertRowSecurity, assertVersion, parameterLogging } from './check-database.ts'
export { processStart } from './data-dir-lock.ts'
export { prepareDatabase } from './prepare-database.ts'
export { type EmbeddedPostgres, type PostgresEvent, type PostgresOptions, startPostgres } from './start-postgres.ts'
