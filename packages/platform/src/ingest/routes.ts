export { doorsRoutes } from './http/doors-routes.ts'
export { ingestRoutes } from './http/ingest-routes.ts'
export { quarantineRoutes } from './http/quarantine-routes.ts'
