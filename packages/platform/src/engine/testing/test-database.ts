import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { withClient } from '../postgres/first-words.ts'
import { ADDRESS_VARIABLE, type Answer, TEMPLATE } from './test-server.ts'

export interface TestDatabase {
  /** For `pg`: superuser `careloop` on a database of its own, all migrations applied. */
  readonly url: string
  /** Cuts its sessions and removes it. */
  drop(): Promise<void>
}

/**
 * A fresh, migrated database on the run's embedded PostgreSQL (real, durable settings). About 60 ms; the first of a run starts
 * the server, about 1 s. Use one a file, not one a test: `beforeAll(async () => { database = await testDatabase() })`.
 * @param options.empty without migrations, for tests of migrations
 */
export async function testDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = await serverUrl()
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const ask = (sql: string) => withClient(server, async (client) => void (await client.query(sql)))
  await ask(`create database ${name} template ${options.empty === true ? 'template0' : TEMPLATE}`)
  return {
    url: server.replace('/postgres?', `/${name}?`).replace(/\/postgres$/, `/${name}`),
    drop: () => ask(`drop database if exists ${name} with (force)`),
  }
}

async function serverUrl(): Promise<string> {
  const port = process.env[ADDRESS_VARIABLE]
  if (port === undefined) throw new Error('testDatabase() works under vitest, whose globalSetup owns the server.')
  const answer = JSON.parse(await text(connect(Number(port), '127.0.0.1'))) as Answer
  if ('error' in answer) throw new Error(answer.error)
  return answer.url
}
