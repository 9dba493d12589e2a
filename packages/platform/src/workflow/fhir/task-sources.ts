/** Tasks with what was told of them, as their view needs it; read in the caller's transaction. */
import { Failure } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { openOutcome, type TaskOutcome } from '../complete-task.ts'
import { type IntentRow, type TaskRow, toMs } from '../schema.ts'

export interface TaskSource {
  readonly row: TaskRow
  /** How it ended; null while it has not, and where that cannot be opened. PHI. */
  readonly outcome: TaskOutcome | null
  /** Oldest first. */
  readonly intents: readonly IntentRow[]
  /** ms: its last event. */
  readonly changedAt: number
}

export async function taskSources(engine: Engine, tx: TenantTx, ids: readonly string[]): Promise<TaskSource[]> {
  const { rows } = await tx.client.query<TaskRow & { changed_at: string | null }>(
    `select t.*, (select max(e.at) from tenant.task_event e where e.tenant_id = $1 and e.task_id = t.id) as changed_at
       from tenant.task t join tenant.subject s on s.tenant_id = $1 and s.id = t.subject_id and s.erased_at is null
      where t.tenant_id = $1 and t.id = any($2::uuid[]) order by t.id`,
    [tx.tenant, ids],
  )
  const { rows: intents } = await tx.client.query<IntentRow>(
    'select * from tenant.notification_intent where tenant_id = $1 and task_id = any($2::uuid[]) order by task_id, id',
    [tx.tenant, ids],
  )
  const byTask = Map.groupBy(intents, (intent) => intent.task_id)
  return Promise.all(
    rows.map(async ({ changed_at, ...row }) => ({
      ...{ row, outcome: await outcomeOf(engine, tx.tenant, row), intents: byTask.get(row.id) ?? [] },
      changedAt: toMs(changed_at ?? row.opened_at),
    })),
  )
}

async function outcomeOf(engine: Engine, tenant: string, row: TaskRow): Promise<TaskOutcome | null> {
  if (row.key_id === null || row.outcome === null) return null
  try {
    return openOutcome(await engine.keys.key(row.key_id), tenant, row.id, row.outcome)
  } catch (err) {
    if (!(err instanceof Failure)) throw err
    engine.watch.log.error({ err, tenant, task: row.id }, 'how a task ended could not be opened')
    return null
  }
}

export async function taskIdsAfter(tx: TenantTx, after: string | null, limit: number): Promise<string[]> {
  const { rows } = await tx.client.query<{ id: string }>(
    'select id from tenant.task where tenant_id = $1 and ($2::uuid is null or id > $2) order by id limit $3',
    [tx.tenant, after, limit],
  )
  return rows.map(({ id }) => id)
}

/** A mail that is an hour late is told of with the next act on its task. */
const lateMs = 3_600_000

/** Tasks of which something was delivered, seen or given up in (since, until], ms. */
export async function tasksTold(tx: TenantTx, since: number, until: number): Promise<string[]> {
  const { rows } = await tx.client.query<{ task_id: string }>(
    `select distinct task_id from tenant.notification_intent
      where tenant_id = $1 and id > $2::uuid and task_id is not null
        and greatest(delivered_at, failed_at, cancelled_at, seen_at) between $3::bigint + 1 and $4`,
    [tx.tenant, firstIdAt(since - lateMs), since, until],
  )
  return rows.map(({ task_id }) => task_id)
}

/** Ids are version 7 UUIDs: the first 48 bits are the ms of their making. */
const firstIdAt = (ms: number): string => {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}
