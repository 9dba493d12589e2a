/** `careloop tenant create|list` and `careloop user create|password|reset-second-factor`. */
import { NewUser, SetUp } from '@careloop/contract'
import { appFailure } from '../errors.ts'
import type { Command, Options } from '../main.ts'
import type { Rooms } from '../rooms.ts'
import { checked, listed, need, tenantOf, withRooms } from './with-rooms.ts'

export const tenantCommand: Command = async (config, [verb, name]) => {
  if (verb === 'list')
    await withRooms(config, async ({ identity }) => {
      const tenants = await identity.tenants()
      if (tenants.length === 0) console.log('No organisations yet. Make one: careloop tenant create NAME')
      else console.table(tenants)
    })
  else if (verb === 'create' && name) {
    const wanted = checked(SetUp.shape.tenantName, name, 'NAME')
    await withRooms(config, async ({ identity }) => console.log(await identity.createTenant(wanted)))
  } else throw appFailure('usage', 'careloop tenant create NAME, or list')
}

export const userCommand: Command = async (config, [verb], options) => {
  const email = checked(NewUser.shape.email, need(options, 'email'), 'email')
  if (verb === 'create') {
    const displayName = checked(NewUser.shape.displayName, need(options, 'name'), 'name')
    const roles = checked(NewUser.shape.roles, listed(need(options, 'roles')), 'roles')
    await withRooms(config, async (rooms) => {
      const { tenant } = await tenantOf(rooms, options)
      const created = await rooms.identity.createUser({ tenant, email, displayName, roles })
      console.log(`user      ${created.id}`)
      if (created.password) console.log(`password  ${created.password}   (shown once)`)
    })
  } else if (verb === 'password') await withRooms(config, (rooms) => newPassword(rooms, email, options))
  else if (verb === 'reset-second-factor') await withRooms(config, (rooms) => resetSecondFactor(rooms, email, options))
  else
    throw appFailure(
      'usage',
      'careloop user create --email E --name N --roles R, password --email E, or reset-second-factor --email E',
    )
}

/** For who has forgotten theirs: a new one, and every session of the old one ends. */
async function newPassword(rooms: Rooms, email: string, options: Options): Promise<void> {
  const { tenant } = await tenantOf(rooms, options)
  const { password } = await rooms.identity.renewPassword(tenant, email)
  console.log(`password  ${password}   (shown once; all sessions of this person have ended)`)
}

/** For who has lost the telephone and the backup codes: whoever stands at the server's console has seen that it is them. */
async function resetSecondFactor(rooms: Rooms, email: string, options: Options): Promise<void> {
  const { tenant } = await tenantOf(rooms, options)
  const members = await rooms.identity.members(tenant)
  const found = members.find((each) => each.email === email.trim().toLowerCase() && each.endedAt === null)
  if (!found) throw appFailure('usage', 'Nobody with this address works here. See the list of staff.')
  await rooms.identity.resetSecondFactor(tenant, found.id)
  console.log(
    'The second factor is off; all sessions of this person have ended. Administrators set up a new one when they sign in.',
  )
}
