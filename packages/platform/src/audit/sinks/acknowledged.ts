/** How old the newest checkpoint is that a sink has: what of the trail could be changed unseen, by somebody with all rights. */
import type { EpochMs } from '@careloop/contract'
import type { ClientBase } from 'pg'
import { Gauge, type Registry } from 'prom-client'
import type { Engine } from '../../engine/index.ts'
import { readCheckpoint } from '../seal/checkpoint.ts'
import { oldestUnsealed, WAITING_LATE_MS } from '../seal/waiting.ts'
import type { SealingState } from '../sealing-state.ts'

export interface Acknowledged {
  readonly sink: string
  readonly batch: number
  /** When that checkpoint was signed: entries before it are safe. */
  readonly signedAt: EpochMs
}

export interface AuditHealth {
  /** When the newest checkpoint was signed; null when there is none yet. */
  readonly signedAt: EpochMs | null
  /** A sink that never acknowledged anything is not in it. */
  readonly acknowledged: readonly Acknowledged[]
  /** Since when the oldest entry waits for its seal; null when none does. */
  readonly waitingSince: EpochMs | null
}

/** @param database a pool or a connection */
export async function auditHealth(database: Pick<ClientBase, 'query'>): Promise<AuditHealth> {
  const newest = await database.query<{ checkpoint: string }>(
    'select checkpoint from engine.audit_batch order by number desc limit 1',
  )
  const { rows } = await database.query<{ sink: string; batch: string; checkpoint: string }>(
    `select sink, batch::text, checkpoint from engine.audit_delivery join engine.audit_batch on number = batch order by sink`,
  )
  return {
    signedAt: newest.rows[0] ? timeOf(newest.rows[0].checkpoint) : null,
    waitingSince: earliest(
      newest.rows[0] ? readCheckpoint(newest.rows[0].checkpoint)?.waiting : undefined,
      await oldestUnsealed(database),
    ),
    acknowledged: rows.map(({ sink, batch, checkpoint }) => ({
      ...{ sink, batch: Number(batch), signedAt: timeOf(checkpoint) },
    })),
  }
}

/** What was signed, and what entries say themselves: either may be the older. */
const earliest = (signed: EpochMs | undefined, said: EpochMs | null): EpochMs | null =>
  signed === undefined ? said : Math.min(signed, said ?? signed)

const timeOf = (note: string): EpochMs => readCheckpoint(note)?.time ?? 0

const SIGNING_LATE_MS = 5 * 60_000
const SINKS_LATE_MS = 60 * 60_000

/**
 * In words when the trail is not being protected; null when it is.
 * @param at.since when this process began to look: what was late before is made good in its first minutes
 * @param at.sinks those that are configured; absent where they are not known: all that ever acknowledged count
 */
export function auditTrouble(
  health: AuditHealth,
  { now, since, sinks }: { now: EpochMs; since: EpochMs; sinks?: SealingState['sinks'] | undefined },
): string | null {
  const age = (time: EpochMs | null) => now - Math.max(time ?? 0, since)
  if (age(health.signedAt) > SIGNING_LATE_MS)
    return 'The audit trail has not been sealed for minutes: see the errors of stage audit in the log.'
  if (health.waitingSince !== null && age(health.waitingSince) > WAITING_LATE_MS)
    return 'Entries of the audit trail have waited for minutes for their seal: a transaction stays open (also a prepared one, also in another database of the server). See pg_stat_activity and pg_prepared_xacts.'
  const newest = Math.max(0, ...counted(health, sinks).map(({ signedAt }) => signedAt))
  if (age(newest) > SINKS_LATE_MS)
    return 'No sink has taken a checkpoint of the audit trail for an hour: what is done since could be changed unseen. Look at CARELOOP_AUDIT_SINK.'
  return null
}

/** Those that are configured, and elsewhere if any is: a folder beside a bucket that is dead proves nothing. */
function counted({ acknowledged }: AuditHealth, sinks: SealingState['sinks'] | undefined): readonly Acknowledged[] {
  if (sinks === undefined) return acknowledged
  const elsewhere = sinks.filter((sink) => sink.isElsewhere)
  const names = new Set((elsewhere.length > 0 ? elsewhere : sinks).map(({ name }) => name))
  return acknowledged.filter(({ sink }) => names.has(sink))
}

/** Read from the database when metrics are asked for: every process tells the same. */
export function ageGauge(
  engine: Pick<Engine, 'db' | 'clock'>,
  registry: Registry,
  sinks: SealingState['sinks'] = [],
): void {
  const name = 'careloop_audit_acknowledged_age_seconds'
  if (registry.getSingleMetric(name)) return
  const began = engine.clock.now()
  new Gauge({
    name,
    help: 'Age of the newest checkpoint of the audit trail that a sink has acknowledged',
    labelNames: ['sink'],
    registers: [registry],
    async collect() {
      const health = await auditHealth(engine.db.pool).catch(() => null)
      this.reset()
      // One that never answered is as old as this process, and grows.
      for (const { name: sink } of sinks) this.set({ sink }, Math.max(0, (engine.clock.now() - began) / 1000))
      for (const { sink, signedAt } of health?.acknowledged ?? [])
        this.set({ sink }, Math.max(0, (engine.clock.now() - signedAt) / 1000))
    },
  })
  new Gauge({
    name: 'careloop_audit_waiting_seconds',
    help: 'How long the oldest entry of the audit trail has waited for its seal',
    registers: [registry],
    async collect() {
      const health = await auditHealth(engine.db.pool).catch(() => null)
      this.reset()
      if (health === null) return
      const { waitingSince } = health
      this.set(waitingSince === null ? 0 : Math.max(0, (engine.clock.now() - waitingSince) / 1000))
    },
  })
}
