/** Which work a process does: a role is a list of stage names, held as data. */
import { alertingStage, alertingUpkeepStage } from '../alerting/stages.ts'
import { auditStage } from '../audit/stages.ts'
import { clinicalObservationsStage, clinicalViewsStage, exportStage } from '../clinical/stages.ts'
import type { BackupParts, Engine, Stage } from '../engine/index.ts'
import { backupStage, keyUpkeepStage, retentionStage } from '../engine/stages.ts'
import { attributionStage, deviceStatusStage } from '../fleet/stages.ts'
import { quarantineRetentionStage, quarantineStage } from '../ingest/stages.ts'
import { mailStage, subscriptionsStage } from '../integrations/stages.ts'
import { namesStage } from '../subjects/stages.ts'
import { measurementDaysStage, telemetryStage, upkeepStage } from '../telemetry/stages.ts'
import { reviewsStage, workflowStage } from '../workflow/stages.ts'
import type { Config, Role } from './config.ts'
import type { Rooms } from './rooms.ts'

export const allStages = (
  rooms: Rooms,
  config: Pick<Config, 'sealAfterMs' | 'mail' | 'auditKeyFile' | 'auditSinks'>,
  backup: BackupParts | null,
): readonly Stage[] => [
  backupStage(backup),
  auditStage({ keyFile: config.auditKeyFile, sinks: config.auditSinks }),
  attributionStage(rooms.fleet.attribution),
  namesStage(rooms.subjects),
  deviceStatusStage,
  quarantineStage,
  quarantineRetentionStage,
  retentionStage(),
  keyUpkeepStage,
  telemetryStage({
    ...(config.sealAfterMs === undefined ? {} : { sealAfterMs: config.sealAfterMs }),
    whoWears: rooms.fleet.whoWears,
    async deviceIntervalMs(tenant, device) {
      return (await rooms.fleet.attribution.load(tenant, device))?.expectedIntervalMs ?? null
    },
  }),
  upkeepStage(),
  measurementDaysStage,
  clinicalObservationsStage(rooms.clinical),
  alertingStage({ subjects: rooms.subjects }),
  alertingUpkeepStage({ subjects: rooms.subjects, members: (tenant) => rooms.identity.members(tenant) }),
  workflowStage({ subjects: rooms.subjects, ways: rooms.ways }),
  clinicalViewsStage(rooms.views),
  reviewsStage({ subjects: rooms.subjects, ways: rooms.ways }),
  subscriptionsStage(rooms.telling),
  exportStage(rooms.fhir),
  mailStage(
    config.mail === undefined
      ? null
      : { subjects: rooms.subjects, ways: rooms.ways, settings: config.mail, invitations: rooms.identity.invitations },
  ),
]

const worker = [
  // First started is last ended: what the others wrote at their end is shipped.
  'backup',
  'audit',
  'device-status',
  'quarantine',
  'quarantine-retention',
  'retention',
  'key-upkeep',
  'telemetry',
  'telemetry-upkeep',
  'measurement-days',
  'clinical-observations',
  'alerting',
  'alerting-upkeep',
  'workflow',
  'clinical-views',
  'reviews',
  'mail',
  'subscriptions',
  'export',
] as const

/** Doors and pages are opened beside these by the same role. */
export const stagesOf: Readonly<Record<Role, readonly string[]>> = {
  all: ['attribution', 'subject-names', ...worker],
  ingest: ['attribution'],
  worker: ['attribution', 'subject-names', ...worker],
  api: ['attribution', 'subject-names'],
}

export const opensDoors = (role: Role): boolean => role === 'all' || role === 'ingest'
export const opensPages = (role: Role): boolean => role === 'all' || role === 'api' || role === 'ingest'

/** Starts the stages of a role in order; returns the stop, which ends them in reverse. */
export async function startStages(engine: Engine, stages: readonly Stage[], role: Role): Promise<() => Promise<void>> {
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const each of stops.reverse()) await each()
  }
  try {
    for (const name of stagesOf[role]) {
      const stage = stages.find((each) => each.name === name)
      if (!stage) throw new Error(`role ${role} names stage ${name}, which no room has`)
      stops.push(await stage.start(engine))
    }
    return stop
  } catch (error) {
    await stop()
    throw error
  }
}
