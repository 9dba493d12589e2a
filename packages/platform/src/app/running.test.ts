import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { findRunning, writeRunning } from './running.ts'

const dir = mkdtempSync(join(tmpdir(), 'careloop-running-'))
const note = join(dir, 'running.json')
afterEach(() => rmSync(note, { force: true }))

test('running > the server that runs here is found, and no more once it has gone', () => {
  const written = writeRunning(dir, { id: 'a', url: 'postgres://a' })
  expect(statSync(note).mode & 0o077).toBe(0)
  expect(findRunning(dir)).toMatchObject({ pid: process.pid, url: 'postgres://a' })
  written.remove()
  expect(findRunning(dir)).toBeUndefined()
})

test('running > another program that has the process number by now is not taken for it', () => {
  writeRunning(dir, { id: 'a', url: 'postgres://a' })
  const before = JSON.parse(readFileSync(note, 'utf8')) as object
  writeFileSync(note, JSON.stringify({ ...before, startedAt: 'another boot 17' }))
  expect(findRunning(dir)).toBeUndefined()
})
