import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { makeIds } from '../ids/ids.ts'
import { makeFolderStore } from '../objects/folder-store.ts'
import { whileHeld } from './while-held.ts'

test('backups > who lost the lease neither puts nor removes anything any more', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'careloop-held-'))
  try {
    const clock = makeManualClock()
    const lease = new AbortController()
    const store = whileHeld(makeFolderStore({ folder, clock, ids: makeIds(clock) }), lease.signal)
    await store.put('one', Buffer.from('1'))
    lease.abort()
    await expect(store.put('two', Buffer.from('2'))).rejects.toMatchObject({ code: 'lease-lost' })
    await expect(store.delete('one')).rejects.toMatchObject({ code: 'lease-lost' })
    expect([await store.get('one'), await store.get('two')]).toEqual([Buffer.from('1'), null])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
