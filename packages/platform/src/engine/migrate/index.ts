export { checkManifest, writeManifest } from './manifest.ts'
export { type Migrated, type MigrateOptions, migrate } from './migrate.ts'
export { type MigrationFile, readMigrations } from './migration-files.ts'
export { checkTableKinds } from './table-kinds.ts'
