import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newSecret } from '../../identity/index.ts'
import type { Config } from '../config.ts'
import { cliConfig } from '../testing/cli-config.ts'
import { userCommand } from './staff.ts'
import { withRooms } from './with-rooms.ts'

let ground: Awaited<ReturnType<typeof cliConfig>>
let config: Config
beforeAll(async () => {
  ground = await cliConfig()
  config = ground.config
})
afterAll(() => ground?.remove())

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
