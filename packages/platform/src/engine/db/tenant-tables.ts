import { Kysely, PostgresDialect } from 'kysely'
import type { ClientBase, Pool, PoolClient } from 'pg'

/** Kysely over this transaction's own connection, in schema `tenant`. It neither begins nor ends a transaction. */
export function tenantTables<Tables>(client: ClientBase): Kysely<Tables> {
  const connection = {
    query: (sql: string, values: unknown[]) => client.query(sql, values),
    release: () => {},
  } as unknown as PoolClient
  const pool = { connect: async () => connection, end: async () => {} } as unknown as Pool
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }).withSchema('tenant')
}
