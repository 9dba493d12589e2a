/** `careloop tenant create` and `careloop user create`. */
import type { Role } from '@careloop/contract'
import { appFailure } from '../errors.ts'
import type { Command } from '../main.ts'
import { need, tenantOf, withRooms } from './with-rooms.ts'

export const tenantCommand: Command = async (config, [verb, name]) => {
  if (verb !== 'create' || !name) throw appFailure('usage', 'careloop tenant create NAME')
  await withRooms(config, async ({ identity }) => console.log(await identity.createTenant(name)))
}

export const userCommand: Command = async (config, [verb], options) => {
  if (verb !== 'create') throw appFailure('usage', 'careloop user create --email E --name N --roles R')
  await withRooms(config, async (rooms) => {
    const { tenant } = await tenantOf(rooms, options)
    const created = await rooms.identity.createUser({
      tenant,
      email: need(options, 'email'),
      displayName: need(options, 'name'),
      roles: need(options, 'roles').split(',') as Role[],
    })
    console.log(`user      ${created.id}`)
    if (created.password) console.log(`password  ${created.password}   (shown once)`)
  })
}
