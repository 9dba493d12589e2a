import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { byConsole } from '../../subjects/index.ts'
import type { Config } from '../config.ts'
import { cliConfig } from '../testing/cli-config.ts'
import { tokenCommand } from './token.ts'
import { withRooms } from './with-rooms.ts'

let ground: Awaited<ReturnType<typeof cliConfig>>
let config: Config
beforeAll(async () => {
  ground = await cliConfig()
  config = ground.config
})
afterAll(() => ground?.remove())

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
