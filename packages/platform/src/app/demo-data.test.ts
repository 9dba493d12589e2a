import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { DEMO_FILE, isDemoData } from './demo-data.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'demo-data-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

test('demo data > are known by what lies with them, whichever command opens them; others are none', () => {
  expect(isDemoData({ dataDir })).toBe(false)
  writeFileSync(join(dataDir, DEMO_FILE), '{}')
  expect(isDemoData({ dataDir })).toBe(true)
  // Real patients must never stand under "Demo data: no real patients".
  expect(isDemoData({ dataDir, databaseUrl: 'postgres://careloop@db.hospital.example/careloop' })).toBe(false)
})
