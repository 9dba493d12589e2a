import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { makeIds } from '../ids/ids.ts'
import { masterKeysInMemory } from '../keys/master-key.ts'
import { makeFolderStore } from '../objects/folder-store.ts'
import { BASES, type Manifest, putMark } from './manifest.ts'
import { planRestore } from './plan-restore.ts'
import { makeSealedStore, type SealedStore } from './sealed-store.ts'
import { ensureStoreKey } from './store-key.ts'

const SEGMENT = 16 * 1024 ** 2
let folder: string
let store: SealedStore
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'careloop-plan-'))
  const clock = makeManualClock(0)
  const objects = makeFolderStore({ folder, clock, ids: makeIds(clock) })
  store = makeSealedStore(objects, await ensureStoreKey(objects, masterKeysInMemory(Buffer.alloc(32, 1)), 'one'))
  const manifest: Manifest = {
    ...{ format: 1, id: 'one', startedAt: 0, finishedAt: 1_000, postgres: 18, segmentBytes: SEGMENT, timeline: 1 },
    ...{ startLsn: '0/1000028', stopLsn: '0/1000100', backupLabel: '', folders: [], chunks: [], blobs: [] },
    ...{ bytes: 0, putBytes: 0, ledger: 0 },
  }
  await store.putJson(`${BASES}one`, manifest)
  for (const segment of ['000000010000000000000001', '000000010000000000000002', '000000020000000000000002'])
    await objects.put(`wal/${segment}/00000001-00000000-01000000`, Buffer.from('x'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const mark = (timeline: number, at: number) =>
  putMark(store, { session: 1, timeline, lsn: '0/3000000', chain: '0/1000000', at, ledger: 0 })

test('restore > back to a time of the first life, after a restore to before: that life comes back, not the second', async () => {
  await mark(1, 10_000)
  await mark(2, 20_000)
  await store.putJson('history/00000002.history', '1\t0/2000000\tno recovery target\n')
  expect(await planRestore(store, { to: 9_000 })).toMatchObject({ line: { timeline: 1 }, stopAt: 9_000 })
  expect(await planRestore(store, { to: 15_000 })).toMatchObject({ line: { timeline: 2 }, stopAt: 15_000 })
  expect(await planRestore(store, {})).toMatchObject({ line: { timeline: 2 }, stopAt: null })
  await expect(planRestore(store, { to: 21_000 })).rejects.toMatchObject({ code: 'backup-time' })
})

test('restore > where somebody took the marks away, the log itself says how far it goes', async () => {
  await store.putJson('history/00000002.history-41', '1\t0/2000000\tno recovery target\n')
  const plan = await planRestore(store, {})
  expect(plan).toMatchObject({ stopAt: null, histories: [{ name: '00000002.history' }] })
  expect(plan.log.segments).toHaveLength(2)
})
