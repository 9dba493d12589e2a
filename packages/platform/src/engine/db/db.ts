/**
 * Transactions. A tenant's work runs as role careloop_app under row-level security; engine work runs as the login role and
 * touches engine tables only. Entries for the reading log are appended as the last statement, because they take the log's lock.
 */
import type { LogEntry, NewFact } from '@careloop/contract'
import type { ClientBase, Pool, PoolClient } from 'pg'
import { engineFailure } from '../errors.ts'
import type { Db, EngineTx, ReadingLog, TenantTx, Watch } from '../ports.ts'
import { type FactFeed, makeFactFeed, readFacts } from './facts.ts'
import { makeSharedReading } from './shared-reading.ts'
import { tenantTables } from './tenant-tables.ts'

export interface DbParts {
  readonly pool: Pool
  readonly watch: Watch
  /** The log that `beforeCommitAppend` writes to; bound late because the log needs the database too. */
  readonly log: () => Pick<ReadingLog, 'appendWithin'>
}

export interface ClosableDb extends Db {
  close(): Promise<void>
}

/** Makes the database port on a pool. The pool is the caller's to end, after `close()`. */
export function makeDb(parts: DbParts): ClosableDb {
  const { pool, watch } = parts
  const feed: FactFeed = makeFactFeed(pool, watch.log)
  // Begun as the tenant in one round trip: two more would cost as much as most reads.
  const asTenant: Db['asTenant'] = async (tenant, fn) =>
    inTransaction(parts, `begin; ${becoming(tenant)}`, (scope) => tenantWork(scope, parts, tenant, fn, 'whole'))
  return {
    pool,
    asTenant,
    asTenantReading: makeSharedReading(asTenant),
    asEngine: (fn) => inTransaction(parts, 'begin', (scope) => fn(engineTx(scope, parts))),
    async tenants() {
      const { rows } = await pool.query<{ id: string }>('select id from engine.tenant order by created_at, id')
      return rows.map((row) => row.id)
    },
    async cursor(name) {
      const { rows } = await pool.query<{ position: string }>('select position from engine.cursor where name = $1', [
        name,
      ])
      return rows[0]?.position ?? '0'
    },
    moveCursor,
    readFacts: (after, max) => readFacts(pool, after, max),
    onFacts: feed.subscribe,
    close: feed.close,
  }
}

/** What one transaction has to do around its commit. */
interface Scope {
  readonly client: ClientBase
  readonly committed: (() => void)[]
}

async function inTransaction<T>(
  { pool, watch }: DbParts,
  begin: string,
  work: (scope: Scope) => Promise<T>,
): Promise<T> {
  const client: PoolClient = await pool.connect()
  const scope: Scope = { client, committed: [] }
  let broken: Error | undefined
  try {
    await client.query(begin)
    const result = await work(scope)
    await client.query('commit')
    for (const fn of scope.committed) afterwards(fn, watch)
    return result
  } catch (error) {
    // A connection that cannot even roll back is thrown away, so that the next caller does not inherit its transaction.
    await client.query('rollback').catch((cause: Error) => {
      broken = cause
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/** The transaction is committed: whatever goes wrong now must not make it look failed. */
function afterwards(fn: () => void, watch: Watch): void {
  try {
    fn()
  } catch (error) {
    watch.log.error({ err: error }, 'what was to follow a commit failed')
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function becoming(tenant: string): string {
  if (!UUID.test(tenant)) throw new TypeError('a tenant id is a uuid')
  return `set local role careloop_app; set local careloop.tenant = '${tenant}'`
}

/** @param extent `whole`: the transaction is this work alone, and began as the tenant; its end takes the role back */
async function tenantWork<T>(
  scope: Scope,
  parts: DbParts,
  tenant: string,
  fn: (tx: TenantTx) => Promise<T>,
  extent: 'whole' | 'part',
): Promise<T> {
  if (extent === 'part') await scope.client.query(becoming(tenant))
  const pending: { entries: LogEntry[]; bump: string[]; engine: ((tx: EngineTx) => Promise<void>)[] } = {
    ...{ entries: [], bump: [], engine: [] },
  }
  const facts: { type: string; body: string }[] = []
  /** One statement for all facts of the work, in their order, while it is still the tenant's. */
  const publishAll = async () => {
    const written = facts.splice(0)
    if (written.length === 0) return
    const columns = [written.map(({ type }) => type), written.map(({ body }) => body)]
    await scope.client.query(
      'select engine.publish(type, body::jsonb) from unnest($1::text[], $2::text[]) as fact(type, body)',
      columns,
    )
  }
  const tx: TenantTx = {
    tenant,
    client: scope.client,
    tables: <Tables>() => tenantTables<Tables>(scope.client),
    async publish(fact: NewFact) {
      const { type, ...body } = fact
      facts.push({ type, body: JSON.stringify(body) })
    },
    beforeCommitAppend(entries, bump = []) {
      pending.entries.push(...entries)
      pending.bump.push(...bump)
    },
    beforeCommitAsEngine: (work) => void pending.engine.push(work),
    afterCommit: (done) => scope.committed.push(done),
    write: (writer, rows) => writer(tx, rows),
    readOne: async (reader, key) => (await reader(tx, [key]))[0]!,
  }
  let result: T
  try {
    result = await fn(tx)
    await publishAll()
  } catch (error) {
    if (extent === 'whole') throw error
    await publishAll().catch(() => {})
    // Who catches this and goes on in the same transaction goes on as the engine. Where the transaction is broken this fails, and
    // the rollback, whole or to a savepoint, takes the role back.
    await scope.client.query('reset role').catch(() => {})
    throw error
  }
  const { entries, bump, engine } = pending
  if (extent === 'whole' && entries.length + bump.length + engine.length === 0) return result
  await scope.client.query('reset role')
  for (const work of pending.engine) await work(engineTx(scope, parts))
  if (pending.entries.length > 0 || pending.bump.length > 0)
    await parts.log().appendWithin(engineTx(scope, parts), pending.entries, pending.bump)
  return result
}

function engineTx(scope: Scope, parts: DbParts): EngineTx {
  return {
    client: scope.client,
    async publish(tenant, fact) {
      const { type, ...body } = fact
      await scope.client.query(
        `with written as (insert into engine.fact (tenant_id, type, body) values ($1, $2, $3))
         select pg_notify('careloop_fact', pg_current_xact_id()::text)`,
        [tenant, type, JSON.stringify(body)],
      )
    },
    asTenant: (tenant, fn) => tenantWork(scope, parts, tenant, fn, 'part'),
    afterCommit: (done) => scope.committed.push(done),
  }
}

async function moveCursor(tx: EngineTx, name: string, from: string, to: string): Promise<void> {
  const moved = await tx.client.query(
    'update engine.cursor set position = $3, moved_at = now() where name = $1 and position = $2',
    [name, from, to],
  )
  if (moved.rowCount === 1) return
  if (from === '0') {
    const made = await tx.client.query(
      'insert into engine.cursor (name, position) values ($1, $2) on conflict do nothing',
      [name, to],
    )
    if (made.rowCount === 1) return
  }
  throw engineFailure('cursor-moved', `Another process moved the cursor ${name}. Read again from where it stands now.`)
}
