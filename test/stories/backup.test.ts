/**
 * The drill: readings flow while a base copy runs; everything is killed; from the store and the escrowed key alone a database comes
 * back on an empty machine. What was shipped is there, what the dead disk still held is there after `salvage`, what was erased stays
 * erased, and what cannot come out right is refused by name.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest'
import { openErasures } from '../../packages/platform/src/app/erasures.ts'
import {
  makeClock,
  openStore,
  readBackupState,
  readMarks,
  restore,
  type SealedStore,
} from '../../packages/platform/src/engine/index.ts'
import type { By } from '../../packages/platform/src/subjects/index.ts'
import { type Ground, openGround } from './support/ground.ts'
import { clusterOf, signal } from './support/processes.ts'
import { careloop, escrow, lookAt, lookInto, storeOf } from './support/restored.ts'
import { judge, type Stored, storedInLog } from './support/stored.ts'
import type { StoryDevice } from './support/story-device.ts'
import { waitFor } from './support/wait.ts'

let ground: Ground
let place: string
let devices: StoryDevice[]
let safe: NodeJS.ProcessEnv
let store: SealedStore
/** By name: directories that restores make. */
const at = (name: string): string => join(place, name)

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'careloop-backup-'))
  ground = await openGround({ CARELOOP_BACKUP: at('store'), CARELOOP_BACKUP_SECONDS: '1' })
  safe = escrow(ground.server, place)
  devices = await Promise.all((['seq', 'ts', 'neither'] as const).map((naming) => ground.device(naming)))
  await waitFor('the first base copy', async () => (await state()).baseAt !== null)
  store = await openStore(await storeOf(safe))
}, 120_000)
afterAll(async () => {
  await ground?.end()
  rmSync(place, { recursive: true, force: true })
})
beforeEach(() => onTestFailed(() => console.log(ground?.server.output().slice(-4000))))

const state = async () => {
  const pool = new pg.Pool({ connectionString: ground.server.databaseUrl(), max: 1 })
  try {
    return await readBackupState(pool)
  } finally {
    await pool.end()
  }
}

/** What is acknowledged by now, as judges take it. */
const acknowledged = () =>
  devices.map(({ options, sent, acknowledged: told }) => ({
    options,
    sent: new Set(sent),
    acknowledged: new Set(told),
  }))

/** Resolves when all that was durable at this moment is in the store. */
async function shipped(): Promise<void> {
  const now = Date.now()
  await waitFor('the log to be shipped', async () => (await readMarks(store)).some((mark) => mark.at > now))
}

async function killAll(): Promise<void> {
  const all = clusterOf(ground.server.postmaster())
  await ground.server.stop('SIGKILL')
  for (const pid of all) signal(pid, 'SIGKILL')
}

async function allGoOn(): Promise<void> {
  const until = devices.map((device) => Math.max(0, ...device.sent) + 5)
  await waitFor('every device to go on', () => devices.every((device, i) => device.acknowledged.has(until[i]!)))
}

test('a kill, a restore: what was acknowledged before the last shipment is there; with what is salvaged from the dead disk, everything', async () => {
  for (const device of devices) device.start()
  await allGoOn()
  const before = await state()
  const said = await careloop(ground.server.env, 'backup', 'run')
  expect(said).toMatchObject({ code: 0, text: expect.stringMatching(/^backup {6}\S+: \d+ MB, \d+ MB of it new/) })
  const after = await state()
  expect(after.baseId).not.toBe(before.baseId)
  // The second copy puts what changed, not everything.
  expect(after.basePutBytes!).toBeLessThan(after.baseBytes! / 2)
  await allGoOn()
  const untilShipped = acknowledged()
  await shipped()
  await allGoOn()
  await ground.letGo()
  await killAll()
  const untilKilled = acknowledged()
  expect(untilShipped.every(({ acknowledged: told }) => told.size > 0)).toBe(true)

  const lost = judge(untilShipped, await bringBack('lost-disk'))
  expect(lost).toMatchObject({ lost: [], doubled: [] })

  const salvaged = await careloop(safe, 'backup', 'salvage', join(ground.server.dir, 'data'))
  expect(salvaged).toMatchObject({ code: 0, text: expect.stringContaining('salvaged') })
  const restored = await careloop(safe, 'backup', 'restore', '--into', at('whole'))
  expect(restored).toMatchObject({ code: 0, text: expect.stringMatching(/up to {7}20\d\d-/) })
  expect(judge(untilKilled, await lookInto(safe, at('whole'), storedInLog))).toMatchObject({ lost: [], doubled: [] })
}, 180_000)

test('the restored server goes on where it was; after an orderly stop everything acknowledged is in the store, and its newest backup follows the new timeline', async () => {
  rmSync(join(ground.server.dir, 'data'), { recursive: true })
  cpSync(at('whole'), join(ground.server.dir, 'data'), { recursive: true })
  await ground.server.start()
  await waitFor('a base copy of the new timeline', async () => (await state()).baseAt! > (await state()).restoredAt!)
  await allGoOn()
  for (const device of devices) device.quieten()
  await waitFor('all to be acknowledged', () => devices.every((device) => device.unacknowledged === 0))
  await ground.server.stop()
  const drill = await careloop(safe, 'backup', 'verify')
  expect(drill).toMatchObject({ code: 0, text: expect.stringContaining('every table read') })
  const verdict = judge(acknowledged(), await bringBack('orderly'))
  expect(verdict).toMatchObject({ lost: [], doubled: [], invented: [] })
  expect(verdict.stored).toBe(verdict.acknowledged)
  expect((await readMarks(store)).map((mark) => mark.timeline).sort()).toEqual([1, 2])
}, 180_000)

test('back to before an erasure, from a store that knows of it: the person stays erased', async () => {
  await ground.server.start()
  await ground.reopen()
  const { subject } = await ground.cuff()
  await shipped()
  const before = new Date()
  const by = (actor: string): By => ({ tenant: ground.clinic.tenant, actor })
  const erasures = openErasures(ground.rooms().engine, null)
  const { id } = await erasures.propose(by('staff:one'), subject, { basis: 'request', reason: 'Asked in writing' })
  await erasures.decide(by('staff:other'), id, 'approve')
  await waitFor('the ledger in the store', async () => (await store.names('ledger/')).length > 0)
  await shipped()

  const said = await careloop(safe, 'backup', 'restore', '--into', at('before'), '--to', before.toISOString())
  expect(said.text).toMatch(/erased {6}1 keys destroyed again/)
  await lookInto(safe, at('before'), async (engine) => {
    await expect(engine.keys.keyFor('subject', subject)).rejects.toMatchObject({ code: 'key-destroyed' })
    const { rows } = await engine.db.pool.query(
      `select erased_at is not null as erased, length(body)::int as body,
              (select count(*)::int from tenant.erasure) as proposals from tenant.subject where id = $1`,
      [subject],
    )
    // Of that time nothing was proposed yet: it really is the past, with the erasure made again.
    expect(rows).toEqual([{ erased: true, body: 0, proposals: 0 }])
  })
}, 120_000)

test('log that was lost for the backup is told, and a new base copy begins another chain', async () => {
  const lost = await state()
  await ground
    .rooms()
    .engine.db.pool.query(
      `select pg_replication_slots.slot_name, pg_drop_replication_slot(slot_name) from pg_replication_slots`,
    )
  await waitFor('a new base copy', async () => (await state()).baseId !== lost.baseId)
  expect((await state()).walLostAt!).toBeGreaterThan(lost.baseAt!)
}, 120_000)

test('a store that is empty all at once is told of, and nothing is begun in it; when it is back, shipping goes on without a new base copy', async () => {
  const before = await state()
  renameSync(at('store'), at('unmounted'))
  await waitFor('it to be told', async () => (await state()).errorCode === 'backup-store-empty')
  expect(existsSync(join(at('store'), 'base'))).toBe(false)
  rmSync(at('store'), { recursive: true, force: true })
  renameSync(at('unmounted'), at('store'))
  await shipped()
  expect((await state()).baseId).toBe(before.baseId)
}, 60_000)

/** What the reading log of a restored database holds, looked at before the restore ends. */
async function bringBack(name: string): Promise<Stored> {
  const parts = await storeOf(safe)
  let found: Stored = new Map()
  await restore({
    ...{ ...parts, into: at(name), clock: makeClock() },
    async finish(url) {
      found = await lookAt(url, parts.masters, at(name), storedInLog)
    },
  })
  return found
}

/** A copy of the store in which something was done to one object. */
async function restoreFrom(name: string, hurt: (dir: string) => void, env: NodeJS.ProcessEnv = safe): Promise<unknown> {
  const dir = at(`hurt-${name}`)
  cpSync(at('store'), dir, { recursive: true })
  hurt(dir)
  const parts = await storeOf({ ...env, CARELOOP_BACKUP: dir })
  return restore({ ...parts, into: at(`into-${name}`), clock: makeClock() }).catch((error: unknown) => error)
}

const newest = (dir: string): string => readdirSync(dir).sort().at(-1)!
const cut = (path: string): void => writeFileSync(path, readFileSync(path).subarray(0, -1))

test('what cannot come out right is refused, and what is wrong is named', async () => {
  await ground.letGo()
  await ground.server.stop()
  const manifest = await restoreFrom('manifest', (dir) => cut(join(dir, 'base', newest(join(dir, 'base')))))
  expect(manifest).toMatchObject({ code: 'backup-damaged', message: expect.stringMatching(/Object base\/\S+ of/) })

  const chunk = await restoreFrom('chunk', (dir) => {
    for (const folder of readdirSync(join(dir, 'chunk')))
      for (const name of readdirSync(join(dir, 'chunk', folder))) {
        const path = join(dir, 'chunk', folder, name)
        const bytes = readFileSync(path)
        bytes[bytes.length >> 1]! ^= 1
        writeFileSync(path, bytes)
      }
  })
  expect(chunk).toMatchObject({ code: 'backup-damaged', message: expect.stringMatching(/Object chunk\/\S+ of/) })

  const segment = await restoreFrom('segment', (dir) => {
    rmSync(join(dir, 'wal', newest(join(dir, 'wal'))), { recursive: true })
  })
  expect(segment).toMatchObject({
    code: 'backup-gap',
    message: expect.stringMatching(/Segment [0-9A-F]{24} of the log/),
  })

  const exchanged = await restoreFrom('exchanged', (dir) => {
    const bases = readdirSync(join(dir, 'base')).sort()
    cpSync(join(dir, 'base', bases[0]!), join(dir, 'base', bases.at(-1)!))
  })
  expect(exchanged).toMatchObject({ code: 'backup-damaged' })

  const ledger = await restoreFrom('ledger', (dir) => rmSync(join(dir, 'ledger'), { recursive: true }))
  expect(ledger).toMatchObject({ code: 'backup-ledger-missing' })

  // An empty machine makes a key of its own, which opens nothing here.
  const foreign = { ...safe, CARELOOP_MASTER_KEY_FILE: join(place, 'other.key') }
  expect(await restoreFrom('foreign', () => {}, foreign)).toMatchObject({ code: 'backup-key-foreign' })

  const parts = { ...(await storeOf(safe)), clock: makeClock() }
  await expect(restore({ ...parts, into: at('whole') })).rejects.toMatchObject({ code: 'backup-not-empty' })
  const future = restore({ ...parts, into: at('late'), to: Date.now() + 86_400_000 })
  await expect(future).rejects.toMatchObject({ code: 'backup-time' })
}, 120_000)
