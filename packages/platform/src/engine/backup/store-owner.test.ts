import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../clock/manual-clock.ts'
import { makeIds } from '../ids/ids.ts'
import { masterKeysInMemory } from '../keys/master-key.ts'
import { makeFolderStore } from '../objects/folder-store.ts'
import { makeSealedStore, type SealedStore } from './sealed-store.ts'
import { ensureStoreKey } from './store-key.ts'
import { assertOwner, releaseOwner, takeOver } from './store-owner.ts'

let folder: string
let store: SealedStore
let clock: ManualClock
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'careloop-owner-'))
  clock = makeManualClock()
  const objects = makeFolderStore({ folder: join(folder, 'store'), clock, ids: makeIds(clock) })
  store = makeSealedStore(objects, await ensureStoreKey(objects, masterKeysInMemory(Buffer.alloc(32, 1)), 'one'))
  for (const name of ['first', 'second']) mkdirSync(join(folder, name))
})
afterEach(() => rmSync(folder, { recursive: true }))

const process = (name: string) => ({ process: name, hasOwned: false })
const ships = (dir: string, shipping: ReturnType<typeof process>) =>
  assertOwner(store, join(folder, dir), shipping, { clock, ids: makeIds(clock) })
const busy = { code: 'backup-store-busy' }

test('backups > a second copy of the database does not ship while the first does; five minutes after the first fell silent it may', async () => {
  const [first, second] = [process('a'), process('b')]
  await ships('first', first)
  await expect(ships('second', second)).rejects.toMatchObject(busy)
  await clock.advance(299_000)
  await ships('first', first)
  await clock.advance(299_000)
  await expect(ships('second', second)).rejects.toMatchObject(busy)
  await clock.advance(2_000)
  await ships('second', second)
  await expect(ships('first', first)).rejects.toMatchObject(busy)
})

test('backups > a server that was killed and started again goes on at once; after an orderly stop anybody does', async () => {
  await ships('first', process('a'))
  const again = process('b')
  await ships('first', again)
  await releaseOwner(store, again)
  await ships('second', process('c'))
})

test('backups > of two machines cloned with all their files only one ships', async () => {
  const [first, clone] = [process('a'), process('b')]
  await ships('first', first)
  await ships('first', clone)
  await expect(ships('first', first)).rejects.toMatchObject(busy)
  await ships('first', clone)
})

test('backups > an operator can say which one ships', async () => {
  const [first, second] = [process('a'), process('b')]
  await ships('first', first)
  await takeOver(store, join(folder, 'second'), { clock, ids: makeIds(clock) })
  await ships('second', second)
  await expect(ships('first', first)).rejects.toMatchObject(busy)
})
