import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockDataDir, processStart } from './data-dir-lock.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'careloop-lock-'))
  path = join(dir, 'lock')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const hold = (holder: { pid: number; startedAt: string; host: string }) => writeFileSync(path, JSON.stringify(holder))

test('data directory lock > is held by one and given free', async () => {
  const lock = await lockDataDir(path)
  await expect(lockDataDir(path)).rejects.toMatchObject({ code: 'data-dir-in-use' })
  lock.release()
  expect(readdirSync(dir)).toEqual([])
  ;(await lockDataDir(path)).release()
})

test('data directory lock > a process that took over the number of a dead holder does not hold it', async () => {
  hold({ pid: process.pid, startedAt: 'another time', host: hostname() })
  ;(await lockDataDir(path)).release()
  hold({ pid: 2 ** 22 + 1, startedAt: processStart(process.pid), host: hostname() })
  ;(await lockDataDir(path)).release()
})

test('data directory lock > a holder on another host counts while it touches the file', async () => {
  hold({ pid: process.pid, startedAt: processStart(process.pid), host: 'another' })
  await expect(lockDataDir(path, 0)).rejects.toMatchObject({ code: 'data-dir-in-use' })
  const minuteAgo = new Date(Date.now() - 60_000)
  utimesSync(path, minuteAgo, minuteAgo)
  ;(await lockDataDir(path, 0)).release()
})

test('data directory lock > an empty file, as a power cut leaves it, does not keep Careloop down for ever', async () => {
  writeFileSync(path, '')
  await expect(lockDataDir(path, 0)).rejects.toMatchObject({ code: 'data-dir-in-use' })
  const minuteAgo = new Date(Date.now() - 60_000)
  utimesSync(path, minuteAgo, minuteAgo)
  ;(await lockDataDir(path, 0)).release()
})

test('data directory lock > does not take away what is no longer its own', async () => {
  const lock = await lockDataDir(path)
  hold({ pid: 1, startedAt: processStart(1), host: hostname() })
  lock.release()
  expect(existsSync(path)).toBe(true)
})

test('data directory lock > of many that want it at once over a dead one, one gets it', async () => {
  hold({ pid: 2 ** 22 + 1, startedAt: '', host: hostname() })
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDir(path)))
  expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
})
