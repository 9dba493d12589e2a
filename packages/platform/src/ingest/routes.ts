import type { Route } from '../identity/index.ts'
import type { Accept } from './door.ts'
import { ingestRoutes as doorRoutes } from './http/ingest-routes.ts'
import { quarantineRoutes } from './http/quarantine-routes.ts'
import type { Quarantine } from './quarantine/quarantine.ts'

export const ingestRoutes = (parts: { accept: Accept; quarantine: Quarantine }): Route[] => [
  ...doorRoutes(parts.accept),
  ...quarantineRoutes(parts.quarantine),
]
