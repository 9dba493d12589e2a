import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { makeIds } from '../ids/ids.ts'
import { masterKeysInMemory } from '../keys/master-key.ts'
import { makeFolderStore } from '../objects/folder-store.ts'
import { basesToKeep, letGoOfBackups } from './let-go.ts'
import { BASES, type Manifest } from './manifest.ts'
import { makeSealedStore, type SealedStore } from './sealed-store.ts'
import { ensureStoreKey } from './store-key.ts'

const DAY = 86_400_000
const NOW = Date.UTC(2026, 10, 30)
const daysAgo = (days: number) => NOW - days * DAY

let folder: string
let store: SealedStore
const masters = masterKeysInMemory(Buffer.alloc(32, 1))
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'careloop-let-go-'))
  const clock = makeManualClock(NOW)
  const objects = makeFolderStore({ folder, clock, ids: makeIds(clock) })
  store = makeSealedStore(objects, await ensureStoreKey(objects, masters, 'one'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('backups > all of the span are kept, and the newest from before it', () => {
  const bases = [40, 35, 31, 20, 1].map((days) => ({ id: String(days), finishedAt: daysAgo(days) }))
  expect(basesToKeep(bases, NOW, 30)).toEqual(['31', '20', '1'])
  expect(basesToKeep(bases.slice(0, 2), NOW, 30)).toEqual(['35'])
  expect(basesToKeep([], NOW, 30)).toEqual([])
})

async function base(id: string, days: number, startLsn: string, chunks: readonly string[]): Promise<void> {
  const manifest: Manifest = {
    ...{
      format: 1,
      id,
      startedAt: daysAgo(days),
      finishedAt: daysAgo(days),
      postgres: 18,
      segmentBytes: 16 * 1024 ** 2,
    },
    ...{ timeline: 1, startLsn, stopLsn: startLsn, backupLabel: '', folders: [], blobs: [], bytes: 0, putBytes: 0 },
    ...{ ledger: 0, chunks: chunks.map((key) => ({ key, files: [] })) },
  }
  await store.putJson(`${BASES}${id}`, manifest)
}

/** As old as a day: what is younger than an hour may belong to a copy that is being made. */
async function old(key: string): Promise<void> {
  await store.objects.put(key, Buffer.from(key))
  utimesSync(join(folder, key), new Date(daysAgo(1)), new Date(daysAgo(1)))
}

test('backups > what going back within the span needs stays, with the log behind it; the rest goes; held objects are left', async () => {
  await base('a', 60, '0/1000028', ['chunk/aa/1', 'chunk/aa/2'])
  await base('b', 31, '0/3000028', ['chunk/aa/2'])
  await base('c', 2, '0/5000028', ['chunk/aa/3'])
  for (const name of ['chunk/aa/1', 'chunk/aa/2', 'chunk/aa/3']) await old(name)
  for (const n of [1, 2, 3, 4, 5]) await old(`wal/00000001000000000000000${n}/00000001-00000000-01000000`)
  await store.objects.put('chunk/aa/young', Buffer.from('being made'))
  utimesSync(join(folder, 'chunk/aa/young'), new Date(NOW), new Date(NOW))
  await store.objects.put('chunk/aa/held', Buffer.from('held'), { retainUntil: new Date(NOW + DAY) })
  utimesSync(join(folder, 'chunk/aa/held'), new Date(daysAgo(1)), new Date(daysAgo(1)))

  expect(await letGoOfBackups(store, NOW, 30)).toEqual({ removed: 4, held: 1 })
  expect(await store.names('base/')).toEqual(['base/b', 'base/c'])
  expect(await store.names('chunk/')).toEqual(['chunk/aa/2', 'chunk/aa/3', 'chunk/aa/held', 'chunk/aa/young'])
  expect((await store.names('wal/')).map((key) => key[27])).toEqual(['3', '4', '5'])
})

test('backups > nothing goes while one of them cannot be read', async () => {
  await base('d', 1, '0/7000028', [])
  await store.objects.put(`${BASES}c`, Buffer.from('damaged'))
  await old('chunk/aa/nobodys')
  expect(await letGoOfBackups(store, NOW, 30)).toEqual({ removed: 0, held: 0 })
  expect(await store.names('chunk/')).toContain('chunk/aa/nobodys')
})

test('backups > a store belongs to one database, and its key is wrapped anew when the master key was rotated', async () => {
  await expect(ensureStoreKey(store.objects, masters, 'another')).rejects.toMatchObject({ code: 'backup-foreign' })
  await masters.rotate(Buffer.alloc(32, 2))
  await ensureStoreKey(store.objects, masters, 'one')
  const onlyNew = masterKeysInMemory(Buffer.alloc(32, 2))
  expect((await ensureStoreKey(store.objects, onlyNew, 'one')).sealKey).toEqual(store.key.sealKey)
})
