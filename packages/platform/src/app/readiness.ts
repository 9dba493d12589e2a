/** What must hold before traffic is sent here. */

import { alertingProgress } from '../alerting/index.ts'
import type { Readiness } from '../api/index.ts'
import { type AuditSinkSettings, auditHealth, auditTrouble, describeSinks, sealingState } from '../audit/index.ts'
import { observationsProgress, viewsProgress } from '../clinical/index.ts'
import type { Engine, OpenEngine } from '../engine/index.ts'
import { subscriptionsProgress } from '../integrations/index.ts'
import { telemetryProgress } from '../telemetry/index.ts'
import { workflowProgress } from '../workflow/index.ts'

/** @param auditSinks of the configuration; absent in tests that have none: every sink that ever acknowledged counts */
export function readinessOf(
  { engine, disk }: OpenEngine,
  auditSinks?: readonly AuditSinkSettings[],
): readonly Readiness[] {
  return [
    {
      name: 'database',
      check: () =>
        engine.db.pool.query('select 1').then(
          () => null,
          () => 'The database does not answer. See its log; Careloop goes on by itself when it is back.',
        ),
    },
    {
      name: 'disk',
      check: async () =>
        disk?.refusal()
          ? 'The disk is nearly full: new readings are refused. Free space or move the data directory.'
          : null,
    },
    {
      name: 'reading-log',
      check: async () =>
        engine.log.refusal() ? 'The reading log takes nothing now; devices are told to try again.' : null,
    },
    { name: 'audit', check: auditCheck(engine, auditSinks) },
    { name: 'master-keys', check: async () => engine.keys.trouble() },
    { name: 'alerting', check: stillMoves(engine, alertingProgress, 'Rules are not evaluated: alerts do not come.') },
    {
      name: 'telemetry',
      check: stillMoves(engine, telemetryProgress, 'Readings are accepted but do not reach telemetry.'),
    },
    {
      name: 'workflow',
      check: stillMoves(engine, workflowProgress, 'Alerts do not become tasks: read them at the alerts.'),
    },
    {
      name: 'record-readings',
      check: stillMoves(engine, observationsProgress, 'Readings do not become Observations: FHIR shows old ones.'),
    },
    {
      name: 'record-views',
      check: stillMoves(engine, viewsProgress, 'FHIR shows patients, alerts and tasks as they were.'),
    },
    {
      name: 'subscriptions',
      check: stillMoves(engine, subscriptionsProgress, 'Events of FHIR subscriptions are not told.'),
    },
  ]
}

/** A sink that is away for a while must take no server from its patients: the metric tells of it long before. */
function auditCheck(
  engine: Engine,
  auditSinks: readonly AuditSinkSettings[] | undefined,
): () => Promise<string | null> {
  const since = engine.clock.now()
  const sinks = auditSinks && describeSinks(auditSinks, engine)
  return async () => {
    const state = sealingState(engine)
    if (state?.trouble) return state.trouble
    const health = await auditHealth(engine.db.pool).catch(() => null)
    return health === null ? null : auditTrouble(health, { now: engine.clock.now(), since, sinks })
  }
}

/** A stage may rest and may be busy; standing still this long while more waits is neither, ms. */
export const standstillMs = 60_000

type Progress = (engine: Engine) => Promise<{ readonly at: string; readonly isBehind: boolean }>

/** Remembers between checks where the stage stood: whoever asks for readiness asks again and again. */
export function stillMoves(engine: Engine, progress: Progress, words: string): () => Promise<string | null> {
  let seen: { at: string; isBehind: boolean; since: number } | null = null
  return async () => {
    const now = performance.now()
    // The database has a check of its own.
    const found = await progress(engine).catch(() => null)
    if (found === null) return null
    // Whoever asks seldom must not take the time since the last look for a standstill.
    if (!found.isBehind || !seen?.isBehind || seen.at !== found.at) seen = { ...found, since: now }
    return now - seen.since >= standstillMs
      ? `${words} It has not moved for ${Math.round((now - seen.since) / 1000)} s; see its errors in the log.`
      : null
  }
}
