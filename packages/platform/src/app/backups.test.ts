import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failures } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import { type BackupParts, readBackupState } from '../engine/index.ts'
import { backupStage } from '../engine/stages.ts'
import { masterKeysInMemory, type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aPatient, byTest, testSubjects } from '../subjects/fixtures.ts'
import { backupPartsOf, eraseAgain } from './backups.ts'
import { readConfig } from './config.ts'
import { keepErased, openErasures } from './erasures.ts'

let ground: TestEngine
let folder: string
let parts: BackupParts
const masters = masterKeysInMemory(Buffer.alloc(32, 1))
beforeAll(async () => {
  ground = await testEngine()
  folder = mkdtempSync(join(tmpdir(), 'careloop-erase-again-'))
  const { engine } = ground
  const tenant = await ground.tenant()
  const { id: subject } = await testSubjects(engine).create(byTest(tenant), aPatient({ mrn: 'M-1' }))
  const erasures = openErasures(engine, null)
  const { id } = await erasures.propose(byTest(tenant), subject, { basis: 'request', reason: 'Asked in writing' })
  await erasures.decide({ ...byTest(tenant), actor: 'staff:other' }, id, 'approve')
  const env = {
    CARELOOP_BACKUP: join(folder, 'store'),
    CARELOOP_BACKUP_SECONDS: '1',
    DATABASE_URL: 'postgres://a:b@c/d',
  }
  parts = backupPartsOf(readConfig(env), masters, null, engine)!
  const stop = await backupStage(parts).start(engine)
  await vi.waitFor(async () => expect((await readBackupState(engine.db.pool)).ledgerAt).not.toBeNull(), 10_000)
  await stop()
})
afterAll(async () => {
  await ground.stop()
  rmSync(folder, { recursive: true })
})

const away = failures({
  'object-store-unreachable': { disposition: 'retry', status: 503, issue: 'transient' },
  'object-store-refused': { disposition: 'reject', status: 502, issue: 'security' },
})
const listing = (next: () => Promise<never>) => () => ({ [Symbol.asyncIterator]: () => ({ next }) })
const unreachable = listing(() => Promise.reject(away('object-store-unreachable', 'No answer.')))
const refusing = listing(() => Promise.reject(away('object-store-refused', 'The key has expired.')))
const silent = listing(() => new Promise(() => {}))

describe('erasures made again before any door opens', () => {
  test('who was erased is vouched for by the store', async () => {
    expect(await eraseAgain(ground.engine, parts)).toEqual({ notices: [], vouched: 1 })
  })

  test.each([
    ['is away', unreachable],
    ['refuses us since its credentials were changed', refusing],
    ['does not answer within 10 s', silent],
  ])('a store that %s is passed over, and told', async (_, list) => {
    const clock = makeManualClock(ground.engine.clock.now())
    const started = eraseAgain({ ...ground.engine, clock }, { ...parts, objects: { ...parts.objects, list } })
    await clock.advance(10_000)
    expect(await started).toEqual({ notices: [expect.stringContaining('does not answer')], vouched: 0 })
    expect(await readBackupState(ground.engine.db.pool)).toMatchObject({ errorCode: 'object-store-unreachable' })
  })

  test('a ledger that cannot be read keeps the server from starting: damaged, another key, a forged chain', async () => {
    const damaged = {
      ...parts.objects,
      get: (key: string) => (key.startsWith('ledger/') ? Promise.resolve(Buffer.from('x')) : parts.objects.get(key)),
    }
    await expect(eraseAgain(ground.engine, { ...parts, objects: damaged })).rejects.toMatchObject({
      code: 'backup-damaged',
    })
    const foreign = masterKeysInMemory(Buffer.alloc(32, 9))
    await expect(eraseAgain(ground.engine, { ...parts, masters: foreign })).rejects.toMatchObject({
      code: 'backup-key-foreign',
    })
    const copy = await parts.people!.copy()
    const forged = { ...(copy.value as object), entries: [] as object[] }
    forged.entries = (copy.value as { entries: object[] }).entries.map((each) => ({ ...each, at: 1 }))
    const people = { ...parts.people!, reapply: () => parts.people!.reapply(forged) }
    await expect(eraseAgain(ground.engine, { ...parts, people })).rejects.toMatchObject({ code: 'ledger-broken' })
  })

  test('in production a lost ledger file keeps it from starting too, unless the store vouches for what it held', async () => {
    const config = { mode: 'production', erasureLedgerFile: join(folder, 'erasures') } as const
    await expect(keepErased(ground.engine, config)).rejects.toMatchObject({ code: 'ledger-broken' })
    expect(await keepErased(ground.engine, config, 1)).toEqual([])
    expect(await keepErased(ground.engine, config)).toEqual([])
    rmSync(config.erasureLedgerFile)
    expect(await keepErased(ground.engine, { ...config, mode: 'evaluation' })).toEqual([])
  })
})
