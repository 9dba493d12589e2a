/** All routes of the rooms; the shell adds its own. */
import type { SystemHealth } from '@careloop/contract'
import { alertingRoutes } from '../alerting/routes.ts'
import { systemRoutes } from '../api/routes.ts'
import { clinicalRoutes } from '../clinical/routes.ts'
import { complianceRoutes } from '../compliance/routes.ts'
import { environmentRoutes } from '../environment/routes.ts'
import { fleetRoutes } from '../fleet/routes.ts'
import type { Route } from '../identity/index.ts'
import { appAndSmartRoutes, identityRoutes } from '../identity/routes.ts'
import { doorsRoutes, ingestRoutes, quarantineRoutes } from '../ingest/routes.ts'
import { integrationsRoutes } from '../integrations/routes.ts'
import { erasureRoutes, personRoutes, subjectsRoutes } from '../subjects/routes.ts'
import { telemetryRoutes } from '../telemetry/routes.ts'
import { workflowRoutes } from '../workflow/routes.ts'
import type { Doors } from './doors.ts'
import { fhirStatement } from './fhir-statement.ts'
import type { Rooms } from './rooms.ts'
import { smartWorldOf } from './smart-world.ts'
import { systemHealth } from './system-health.ts'

/** @param health by the configuration; left out, as of an installation that has none */
export function routesOf(
  rooms: Rooms,
  doors: Doors | null,
  health: () => Promise<SystemHealth> = () => systemHealth(rooms.engine, {}),
): Route[] {
  return [
    ...identityRoutes(rooms.identity),
    ...appAndSmartRoutes(rooms.identity, smartWorldOf(rooms)),
    ...subjectsRoutes(rooms.subjects),
    ...erasureRoutes(rooms.erasures),
    ...personRoutes(rooms),
    ...fleetRoutes(rooms.fleet),
    ...(doors ? ingestRoutes({ ingest: doors.ingest, attribution: rooms.fleet.attribution }) : []),
    ...doorsRoutes(doors?.mqtt.addresses ?? []),
    ...quarantineRoutes(rooms.quarantine),
    ...telemetryRoutes(rooms.engine, rooms.subjects),
    ...clinicalRoutes(rooms.fhir, fhirStatement),
    ...alertingRoutes(rooms.alerting),
    ...workflowRoutes(rooms.workflow),
    ...integrationsRoutes(rooms.subscriptions),
    ...systemRoutes(health),
    ...complianceRoutes({ ...rooms, staff: (tenant) => rooms.identity.members(tenant) }),
    ...environmentRoutes({ ...rooms, staff: (tenant) => rooms.identity.members(tenant) }),
  ]
}
