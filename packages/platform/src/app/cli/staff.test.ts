import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type TestDatabase, testDatabase } from '../../engine/testing/index.ts'
import { newSecret } from '../../identity/index.ts'
import { type Config, readConfig } from '../config.ts'
import { userCommand } from './staff.ts'
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

test('careloop user reset-second-factor > takes it off, and refuses who does not work here', async () => {
  const said = vi.spyOn(console, 'log').mockImplementation(() => {})
  const email = 'ana@clinic.example'
  const tenant = await withRooms(config, async ({ identity }) => {
    const made = await identity.createTenant('Clinic')
    const { id } = await identity.createUser({ tenant: made, email, displayName: 'Ana', roles: ['administrator'] })
    await identity.presetSecondFactor(made, id, newSecret())
    return made
  })
  await userCommand(config, ['reset-second-factor'], { email: 'Ana@clinic.example' })
  expect(said).toHaveBeenCalledWith(expect.stringContaining('The second factor is off'))
  await withRooms(config, async ({ identity }) => {
    expect(await identity.members(tenant)).toMatchObject([{ email, hasSecondFactor: false }])
  })
  const nobody = userCommand(config, ['reset-second-factor'], { email: 'bo@clinic.example' })
  await expect(nobody).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('Nobody') })
  said.mockRestore()
})
