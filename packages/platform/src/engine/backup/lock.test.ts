import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../clock/manual-clock.ts'
import { masterKeysInMemory } from '../keys/master-key.ts'
import { makeFolderStore } from '../objects/folder-store.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { type TestGround, testGround } from '../testing/index.ts'
import { makeBlobCopies } from './blob-copies.ts'
import { newestLedger, putLedger } from './erasure-ledger.ts'
import { lockOf, newestOfEach } from './lock.ts'
import { makeSealedStore } from './sealed-store.ts'
import { ensureStoreKey, readStoreKey } from './store-key.ts'

const DAY = 86_400_000
let ground: TestGround
let folder: string
let clock: ManualClock
let objects: ObjectStore
const masters = masterKeysInMemory(Buffer.alloc(32, 1))
beforeAll(async () => {
  ground = await testGround()
  folder = mkdtempSync(join(tmpdir(), 'careloop-lock-'))
  clock = makeManualClock(Date.UTC(2026, 10, 22))
  objects = makeFolderStore({ folder: join(folder, 'store'), clock, ids: ground.ids })
})
afterAll(async () => {
  await ground.stop()
  rmSync(folder, { recursive: true })
})

const lock = () => lockOf({ lockDays: 10 }, clock.now())
const names = async (prefix: string) => {
  const found: string[] = []
  for await (const { key } of objects.list(prefix)) found.push(key)
  return found
}
async function wantHeld(prefix: string): Promise<void> {
  const found = await names(prefix)
  expect(found).not.toEqual([])
  for (const name of found) await expect(objects.delete(name)).rejects.toMatchObject({ code: 'object-retained' })
}

test('object lock > key, ledger and blobs are held by the store, and put anew in each half of the span', async () => {
  const key = await ensureStoreKey(objects, masters, 'one', lock())
  const store = makeSealedStore(objects, key)
  const owner = await ground.keys.keyFor('subject', ground.ids.uuid())
  await ground.db.asEngine((tx) => ground.keys.destroy(tx, owner.id))
  mkdirSync(join(folder, 'data', 'blobs'), { recursive: true })
  writeFileSync(join(folder, 'data', 'blobs', 'one'), 'sealed')
  const hold = async () => {
    await ensureStoreKey(objects, masters, 'one', lock())
    await putLedger(store, { pool: ground.pool, people: null, now: clock.now(), lock: lock() })
    await (await makeBlobCopies(store, join(folder, 'data'), lock)).put()
  }
  await hold()
  await hold()
  for (const prefix of ['key/', 'ledger/', 'blob/']) {
    await wantHeld(prefix)
    expect(await names(prefix)).toHaveLength(1)
  }
  clock.step(clock.now() + 6 * DAY)
  await hold()
  for (const prefix of ['key/', 'ledger/', 'blob/']) {
    await wantHeld(prefix)
    expect(await names(prefix)).toHaveLength(2)
  }
  expect(await newestLedger(store)).toMatchObject({ number: 2, keys: [{ id: owner.id }] })
  expect(newestOfEach(await names('blob/'))).toHaveLength(1)
})

test('object lock > rubbish that somebody puts beside the key hides it not', async () => {
  await objects.put('key/0000/0000', Buffer.from('rubbish'))
  expect((await readStoreKey(objects, masters))?.systemId).toBe('one')
})
