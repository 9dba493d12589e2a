/**
 * Transactions. A tenant's work runs as role careloop_app under row-level security; engine work runs as the login role and
 * touches engine tables only. Entries for the reading log are appended as the last statement, because they take the log's lock.
 */
import type { LogEntry, NewFact } from '@careloop/contract'
import { Kysely, PostgresDialect } from 'kysely'
import type { ClientBase, Pool, PoolClient } from 'pg'
import { engineFailure } from '../errors.ts'
import type { Db, EngineTx, ReadingLog, TenantTx, Watch } from '../ports.ts'
import { type FactFeed, makeFactFeed, readFacts } from './facts.ts'

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
  return {
    pool,
    asTenant: (tenant, fn) => inTransaction(parts, (scope) => tenantWork(scope, parts, tenant, fn)),
    asEngine: (fn) => inTransaction(parts, (scope) => fn(engineTx(scope, parts))),
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

async function inTransaction<T>({ pool, watch }: DbParts, work: (scope: Scope) => Promise<T>): Promise<T> {
  const client: PoolClient = await pool.connect()
  const scope: Scope = { client, committed: [] }
  let broken: Error | undefined
  try {
    await client.query('begin')
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

async function tenantWork<T>(
  scope: Scope,
  parts: DbParts,
  tenant: string,
  fn: (tx: TenantTx) => Promise<T>,
): Promise<T> {
  if (!UUID.test(tenant)) throw new TypeError('a tenant id is a uuid')
  await scope.client.query(`set local role careloop_app; set local careloop.tenant = '${tenant}'`)
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
  }
  let result: T
  try {
    result = await fn(tx)
    await publishAll()
  } catch (error) {
    await publishAll().catch(() => {})
    // Who catches this and goes on in the same transaction goes on as the engine. Where the transaction is broken this fails, and
    // the rollback, whole or to a savepoint, takes the role back.
    await scope.client.query('reset role').catch(() => {})
    throw error
  }
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
    asTenant: (tenant, fn) => tenantWork(scope, parts, tenant, fn),
    afterCommit: (done) => scope.committed.push(done),
  }
}

/** Kysely over this transaction's own connection, in schema `tenant`. It neither begins nor ends a transaction. */
function tenantTables<Tables>(client: ClientBase): Kysely<Tables> {
  const connection = {
    query: (sql: string, values: unknown[]) => client.query(sql, values),
    release: () => {},
  } as unknown as PoolClient
  const pool = { connect: async () => connection, end: async () => {} } as unknown as Pool
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }).withSchema('tenant')
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
