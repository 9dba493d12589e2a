import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { makeIds } from '../ids/ids.ts'
import { masterKeysInMemory } from '../keys/master-key.ts'
import { makeFolderStore } from '../objects/folder-store.ts'
import { fetchBackup } from './fetch-backup.ts'
import type { RestorePlan } from './plan-restore.ts'
import { assertNoRestoreRuns } from './restore-note.ts'
import { makeSealedStore } from './sealed-store.ts'
import { ensureStoreKey } from './store-key.ts'

const SEGMENT = 16 * 1024 ** 2
const segment = { timeline: 1, number: 1n }
const key = 'wal/000000010000000000000001/00000001-00000000-01000000'
const plan: RestorePlan = {
  manifest: {
    ...{ format: 1, id: 'one', startedAt: 0, finishedAt: 0, postgres: 18, segmentBytes: SEGMENT, timeline: 1 },
    ...{ startLsn: '0/1000028', stopLsn: '0/1000100', backupLabel: '', folders: [], chunks: [], blobs: [] },
    ...{ bytes: 0, putBytes: 0, ledger: 0 },
  },
  line: { timeline: 1, ancestors: [] },
  log: {
    segments: [{ segment, pieces: [{ key, segment, session: 1, from: 0, to: SEGMENT }], bytes: SEGMENT }],
    end: 0n,
  },
  ...{ stopAt: null, ledger: 0, histories: [] },
}

test('restore > one that ended while it fetched leaves a directory that no server starts on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'careloop-fetch-'))
  try {
    const clock = makeManualClock(0)
    const objects = makeFolderStore({ folder: join(folder, 'store'), clock, ids: makeIds(clock) })
    const store = makeSealedStore(
      objects,
      await ensureStoreKey(objects, masterKeysInMemory(Buffer.alloc(32, 1)), 'one'),
    )
    const killed = {
      ...store,
      get: (name: string) => (name === key ? Promise.reject(new Error('killed')) : store.get(name)),
    }
    const into = join(folder, 'into')
    await expect(fetchBackup(killed, plan, into, 'postgres/cluster')).rejects.toThrow('killed')
    expect(() => assertNoRestoreRuns(into)).toThrow(expect.objectContaining({ code: 'restore-unfinished' }))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
