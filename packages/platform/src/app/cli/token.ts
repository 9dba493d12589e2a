/** `careloop token create`: for a device or for a program. */
import { NewServiceToken } from '@careloop/contract'
import { byConsole } from '../../subjects/index.ts'
import { appFailure } from '../errors.ts'
import type { Command, Options } from '../main.ts'
import type { Rooms } from '../rooms.ts'
import { checked, listed, need, tenantOf, withRooms } from './with-rooms.ts'

export const tokenCommand: Command = async (config, [verb], options) => {
  if (verb !== 'create')
    throw appFailure('usage', 'careloop token create --device NAME | --service NAME --scopes S [--own]')
  await withRooms(config, (rooms) => (options.service ? forService(rooms, options) : forDevice(rooms, options)))
}

async function forDevice(rooms: Rooms, options: Options): Promise<void> {
  const by = await tenantOf(rooms, options)
  const name = need(options, 'device')
  const device = await findDevice(rooms, by, name)
  const { token } = await rooms.fleet.createDeviceToken(by, device, {})
  console.log(`${token}\n(shown once; only its SHA-256 is kept)`)
}

async function findDevice(rooms: Rooms, by: Awaited<ReturnType<typeof tenantOf>>, name: string): Promise<string> {
  let after: string | undefined
  do {
    const { items, next } = await rooms.fleet.listDevices(by, { limit: 200, ...(after ? { after } : {}) })
    const found = items.find((device) => device.name === name || device.id === name)
    if (found) return found.id
    after = next ?? undefined
  } while (after)
  throw appFailure('usage', `No device has the name or id ${name}. See: careloop device list`)
}

/** The organisation's own program sees patients without a consent of each, as its staff do: said when it is made, and in the trail. */
async function makeOwn({ subjects }: Rooms, tenant: string, id: string): Promise<void> {
  const by = byConsole(tenant)
  const settings = await subjects.consents.settings(by)
  await subjects.consents.changeSettings(by, { ...settings, ownServices: [...settings.ownServices, id] })
}

async function forService(rooms: Rooms, options: Options): Promise<void> {
  const { tenant } = await tenantOf(rooms, options)
  const scopes = checked(NewServiceToken.shape.scopes, listed(need(options, 'scopes')), 'scopes')
  const name = checked(NewServiceToken.shape.name, need(options, 'service'), 'service')
  const { id, token } = await rooms.identity.createServiceToken({ tenant, name, scopes })
  if (options.own === true) await makeOwn(rooms, tenant, id)
  console.log(`${token}\n(shown once; only its SHA-256 is kept)`)
}
