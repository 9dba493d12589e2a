export { ingestRoutes } from './http/ingest-routes.ts'
export { quarantineRoutes } from './http/quarantine-routes.ts'
