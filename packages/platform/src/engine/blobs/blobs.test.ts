import { randomUUID } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { testGround } from '../testing/test-ground.ts'
import { blobsContract } from './blobs.contract.ts'
import { makeBlobs } from './blobs.ts'

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const each of undo.splice(0)) await each()
})

async function makeGround() {
  const ground = await testGround()
  const folder = await mkdtemp(join(tmpdir(), 'careloop-blobs-'))
  const clock = makeManualClock()
  const blobs = makeBlobs({ folder, pool: ground.pool, keys: ground.keys, ids: ground.ids, clock })
  const fileOf = (ref: string) => join(folder, ref.slice(-2), ref)
  const stop = async () => {
    await ground.stop()
    await rm(folder, { recursive: true })
  }
  return { ground, folder, clock, blobs, fileOf, stop }
}

blobsContract('a folder', async () => {
  const { ground, blobs, fileOf, stop } = await makeGround()
  return {
    blobs,
    keys: ground.keys,
    destroyKey: (id) => ground.db.asEngine((tx) => ground.keys.destroy(tx, id)),
    stored: (ref) => readFile(fileOf(ref)).catch(() => null),
    damage: (ref, bytes) => (bytes ? writeFile(fileOf(ref), bytes) : rm(fileOf(ref))),
    stop,
  }
})

it('blobs in a folder > are readable by the server only and leave no temporary file', async () => {
  const { ground, folder, blobs, fileOf, stop } = await makeGround()
  undo.push(stop)
  const ref = await blobs.put(Buffer.from('x'), (await ground.keys.keyFor('blob', 'a')).id)
  expect((await stat(fileOf(ref))).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, ref.slice(-2)))).mode & 0o777).toBe(0o700)
  expect(await readdir(join(folder, ref.slice(-2)))).toEqual([ref])
})

it('blobs in a folder > sweeps what a crash left, and nothing that a row knows or that is young', async () => {
  const { ground, folder, clock, blobs, fileOf, stop } = await makeGround()
  undo.push(stop)
  const ref = await blobs.put(Buffer.from('x'), (await ground.keys.keyFor('blob', 'a')).id)
  const [orphan, young] = [randomUUID(), randomUUID()]
  for (const name of [orphan, young, `${orphan}.new`]) {
    await mkdir(join(folder, '00'), { recursive: true })
    await writeFile(join(folder, '00', name), 'x')
  }
  const old = (clock.now() - 2 * 86_400_000) / 1_000
  for (const path of [fileOf(ref), join(folder, '00', orphan), join(folder, '00', `${orphan}.new`)])
    await utimes(path, old, old)
  await utimes(join(folder, '00', young), clock.now() / 1_000, clock.now() / 1_000)
  expect(await blobs.sweep()).toBe(2)
  expect(await readdir(join(folder, '00'))).toEqual([young])
  expect((await blobs.get(ref)).toString()).toBe('x')
})

it('blobs in a folder > keeps neither row nor file when the bytes cannot be written', async () => {
  const { ground, folder, blobs, stop } = await makeGround()
  undo.push(stop)
  const keyId = (await ground.keys.keyFor('blob', 'a')).id
  await rm(folder, { recursive: true })
  await writeFile(folder, 'a file where the folder should be')
  await chmod(folder, 0o400)
  await expect(blobs.put(Buffer.from('x'), keyId)).rejects.toThrow(/ENOTDIR|EEXIST/)
  expect((await ground.pool.query('select ref from engine.blob')).rows).toEqual([])
})
