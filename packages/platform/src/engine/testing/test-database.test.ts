import pg from 'pg'
import { expect, test } from 'vitest'
import { testDatabase } from './index.ts'

test('test databases > each is its own, migrated, and can be made side by side', async () => {
  const databases = await Promise.all([testDatabase(), testDatabase(), testDatabase()])
  for (const { url } of databases) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`insert into engine.cursor (name, position) values ('only here', '1')`)
    const { rows } = await client.query('select count(*)::int as cursors from engine.cursor')
    expect(rows).toEqual([{ cursors: 1 }])
    await client.end()
  }
  await Promise.all(databases.map((database) => database.drop()))
})
