/** The one way to a database that may be used: checked, migrated, checked again. For the embedded one and for DATABASE_URL. */

import { engineFailure } from '../errors.ts'
import { type Migrated, migrate } from '../migrate/index.ts'
import { assertCounter } from './assert-counter.ts'
import { assertDurable, assertRowSecurity, assertVersion } from './check-database.ts'
import { withClient } from './first-words.ts'

/**
 * @param url of a database that Careloop has for itself, with a role that owns it and may create roles
 * @throws Failure `postgres-unreachable`, `postgres-unsafe`, `database-moved`, `schema-newer`, `schema-edited`, `migration-failed` (503)
 */
export async function prepareDatabase(url: string): Promise<Migrated> {
  await reach(url, async (client) => {
    await assertVersion(client)
    await assertDurable(client)
  })
  const migrated = await migrate(url)
  await withClient(url, assertRowSecurity)
  await withClient(url, assertCounter)
  return migrated
}

/** The URL holds a password, and so may the driver's message about it: neither is repeated. */
async function reach(url: string, fn: Parameters<typeof withClient<void>>[1]): Promise<void> {
  try {
    await withClient(url, fn)
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'Failure') throw cause
    const code = (cause as { code?: unknown }).code
    throw engineFailure(
      'postgres-unreachable',
      `The database cannot be reached (${typeof code === 'string' ? code : 'no code'}). See that it runs, and that host, port, database, user and password of DATABASE_URL are right.`,
    )
  }
}
