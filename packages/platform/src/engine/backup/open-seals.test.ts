import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { masterKeysInMemory } from '../keys/master-key.ts'
import { openEngine } from '../open-engine.ts'
import { testDatabase } from '../testing/index.ts'
import { makeWatch } from '../watch/watch.ts'
import { openSeals } from './open-seals.ts'

test('drill > opens a key of each purpose, and tells when what came back does not open', async () => {
  const database = await testDatabase()
  const dataDir = mkdtempSync(join(tmpdir(), 'careloop-seals-'))
  const masters = masterKeysInMemory(Buffer.alloc(32, 1))
  const { engine, close } = openEngine({ url: database.url, masters, dataDir, watch: makeWatch({ level: 'silent' }) })
  try {
    const key = await engine.keys.keyFor('subject', engine.ids.uuid())
    await engine.keys.keyFor('auth', 'person x')
    expect(await openSeals(database.url, masters, dataDir)).toEqual(['auth', 'subject'])
    await expect(openSeals(database.url, masterKeysInMemory(Buffer.alloc(32, 2)), dataDir)).rejects.toMatchObject({
      code: 'master-key-missing',
    })
    await engine.db.pool.query(
      `update engine.data_key set wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20)) where id = $1`,
      [key.id],
    )
    await expect(openSeals(database.url, masters, dataDir)).rejects.toMatchObject({ code: 'seal-broken' })
  } finally {
    await close()
    await database.drop()
    rmSync(dataDir, { recursive: true })
  }
})
