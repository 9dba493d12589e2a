/** Alerts with what proves them and what was done, as views of them need it; read in the caller's transaction. */
import { Failure } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { Evidence } from '../evidence.ts'
import { toMs } from '../schema.ts'
import { openDetail } from '../summary.ts'

export interface AlertStory {
  /** Oldest first. */
  readonly evidence: readonly Evidence[]
  /** As in the audit trail; null while it is open. */
  readonly closedBy: string | null
  /** ms: when something of it was recorded last. */
  readonly changedAt: number
  /** ms: when it was recorded first. */
  readonly recordedAt: number
}

interface EventRow {
  readonly alert_id: string
  readonly what: string
  readonly recorded_at: string
  readonly actor: string | null
  readonly key_id: string | null
  readonly detail: Buffer | null
}

export async function alertStories(
  engine: Engine,
  tx: TenantTx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AlertStory>> {
  const { rows } = await tx.client.query<EventRow>(
    `select alert_id, what, recorded_at, actor, key_id, detail from tenant.alert_event
      where tenant_id = $1 and alert_id = any($2::uuid[]) order by alert_id, id`,
    [tx.tenant, ids],
  )
  const stories = new Map<string, AlertStory>()
  for (const [id, events] of Map.groupBy(rows, (row) => row.alert_id)) {
    const times = events.map(({ recorded_at }) => toMs(recorded_at))
    const last = events.findLast(({ what }) => what === 'closed' || what === 'reopened')
    stories.set(id, {
      evidence: await evidenceOf(engine, tx.tenant, events),
      closedBy: last?.what === 'closed' ? last.actor : null,
      ...{ changedAt: Math.max(...times), recordedAt: Math.min(...times) },
    })
  }
  return stories
}

async function evidenceOf(engine: Engine, tenant: string, events: readonly EventRow[]): Promise<Evidence[]> {
  const found: Evidence[] = []
  for (const { alert_id, key_id, detail } of events) {
    if (key_id === null || detail === null) continue
    try {
      found.push(openDetail<Evidence>(await engine.keys.key(key_id), tenant, alert_id, detail))
    } catch (err) {
      if (!(err instanceof Failure)) throw err
      // What is damaged is left out: that there is an alert is told all the same.
      engine.watch.log.error({ err, tenant, alert: alert_id }, 'the evidence of an alert could not be opened')
    }
  }
  return found.filter(({ readings }) => Array.isArray(readings))
}

export async function alertIdsAfter(tx: TenantTx, after: string | null, limit: number): Promise<string[]> {
  const { rows } = await tx.client.query<{ id: string }>(
    'select id from tenant.alert where tenant_id = $1 and ($2::uuid is null or id > $2) order by id limit $3',
    [tx.tenant, after, limit],
  )
  return rows.map(({ id }) => id)
}

/** Alerts that were recorded in (since, until], ms. */
export async function alertsRecorded(tx: TenantTx, since: number, until: number): Promise<string[]> {
  const { rows } = await tx.client.query<{ id: string }>(
    'select id from tenant.alert where tenant_id = $1 and recorded_at > $2 and recorded_at <= $3 order by id',
    [tx.tenant, since, until],
  )
  return rows.map(({ id }) => id)
}
