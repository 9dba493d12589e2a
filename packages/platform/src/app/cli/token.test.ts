import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type TestDatabase, testDatabase } from '../../engine/testing/index.ts'
import { byConsole } from '../../subjects/index.ts'
import { type Config, readConfig } from '../config.ts'
import { tokenCommand } from './token.ts'
import { withRooms } from './with-rooms.ts'

let dir: string
let database: TestDatabase
let config: Config
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'careloop-test-'))
  database = await testDatabase()
  config = readConfig({
    ...{ CARELOOP_DATA: join(dir, 'data'), CARELOOP_MASTER_KEY_FILE: join(dir, 'master.key') },
    ...{ DATABASE_URL: database.url, CARELOOP_BALLAST_BYTES: '0', CARELOOP_DISK_FLOOR_BYTES: '0' },
  })
})
afterAll(async () => {
  await database?.drop()
  rmSync(dir, { recursive: true, force: true })
})

test('careloop token create > makes a program the organisation’s own only when that is said', async () => {
  const said = vi.spyOn(console, 'log').mockImplementation(() => {})
  const tenant = await withRooms(config, ({ identity }) => identity.createTenant('Clinic'))
  const make = (service: string, own?: true) =>
    tokenCommand(config, ['create'], { tenant, service, scopes: 'subject:create', ...(own ? { own } : {}) })
  await make('lab')
  await make('simulator', true)
  said.mockRestore()
  await withRooms(config, async ({ identity, subjects }) => {
    const tokens = await identity.serviceTokens(tenant)
    const { ownServices } = await subjects.consents.settings(byConsole(tenant))
    expect(ownServices).toEqual([tokens.find(({ name }) => name === 'simulator')!.id])
  })
})
