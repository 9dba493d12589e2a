/** `careloop device enroll|list`. */
import { DeviceClassification, Id, NewDevice } from '@careloop/contract'
import { profile } from '@careloop/profiles'
import { z } from 'zod'
import { appFailure } from '../errors.ts'
import type { Command, Options } from '../main.ts'
import type { Rooms } from '../rooms.ts'
import { checked, need, tenantOf, withRooms } from './with-rooms.ts'

export const deviceCommand: Command = async (config, [verb], options) => {
  if (verb === 'enroll') await withRooms(config, (rooms) => enroll(rooms, options))
  else if (verb === 'list') await withRooms(config, (rooms) => list(rooms, options))
  else throw appFailure('usage', 'careloop device enroll|list. See: careloop help')
}

const ProfileName = z
  .string()
  .refine((code) => profile(code) !== undefined, { error: 'No such profile. docs/profiles.md says which there are.' })

async function enroll(rooms: Rooms, options: Options): Promise<void> {
  const by = await tenantOf(rooms, options)
  const code = checked(ProfileName, need(options, 'profile'), 'profile')
  const wanted = options.class ?? profile(code)?.classification ?? 'operational'
  const classification = checked(DeviceClassification, wanted, 'class')
  const name = checked(NewDevice.shape.name, need(options, 'name'), 'name')
  const subject = options.subject === undefined ? undefined : checked(Id, options.subject, 'subject')
  if (subject !== undefined) await rooms.subjects.subject(by, subject) // not there: said before a device is
  const device = await rooms.fleet.enrolDevice(by, NewDevice.parse({ name, profile: code, classification }))
  console.log(`device   ${device.name}\nid       ${device.id}\nprofile  ${device.profile} (${device.classification})`)
  if (subject !== undefined) {
    await rooms.fleet.assign(by, device.id, subject, null)
    console.log(`assigned ${subject}`)
  }
  if (options.token) {
    const { token } = await rooms.fleet.createDeviceToken(by, device.id, {})
    console.log(`token    ${token}   (shown once)`)
  }
}

async function list(rooms: Rooms, options: Options): Promise<void> {
  const by = await tenantOf(rooms, options)
  const rows: Record<string, string>[] = []
  let after: string | undefined
  do {
    const { items, next } = await rooms.fleet.listDevices(by, { limit: 200, ...(after ? { after } : {}) })
    for (const device of items)
      rows.push({ name: device.name, profile: device.profile, class: device.classification, id: device.id })
    after = next ?? undefined
  } while (after)
  if (rows.length === 0)
    console.log('No devices yet. Enrol one: careloop device enroll --name cuff-1 --profile generic --token')
  else console.table(rows)
}
