/** Enrols the demo's devices: each with its own credential, worn by its subject for as long as its history goes back. */
import type { By, Platform } from '@careloop/platform'
import { DAY } from '../signals/day-rhythm.ts'
import type { Credential } from '../speakers/speaker.ts'
import { type OrganisationKey, subjects } from './cast.ts'
import type { People } from './people.ts'
import type { Place } from './place.ts'

type Rooms = Platform['rooms']

export interface DeviceCast {
  readonly name: string
  /** Key of the subject. */
  readonly wornBy: string
  readonly profile: string
  readonly classification: 'wellness' | 'operational' | 'medical'
  readonly credential: Credential['kind']
}

/** @returns the device's credential, as the device itself would hold it */
export async function enrolDevice(
  rooms: Rooms,
  people: People,
  place: Place,
  cast: DeviceCast,
  now: number,
): Promise<Credential> {
  const worn = subjects.find(({ key }) => key === cast.wornBy)!
  const by = people.by[worn.organisation as OrganisationKey]
  const id = await deviceId(rooms, by, cast)
  const { spans } = await rooms.fleet.assignmentHistory(by, id)
  if (spans.length === 0) await rooms.fleet.assign(by, id, people.subjects.get(cast.wornBy)!, now - worn.days * DAY)
  const known = place.memory.credentials[cast.name]
  if (known) return known
  const credential = await newCredential(rooms, by, id, cast.credential)
  place.memory.credentials[cast.name] = credential
  place.save()
  return credential
}

async function deviceId(rooms: Rooms, by: By, { name, profile, classification }: DeviceCast): Promise<string> {
  const { items } = await rooms.fleet.listDevices(by, { name, limit: 1 })
  if (items[0]) return items[0].id
  return (await rooms.fleet.enrolDevice(by, { name, profile, classification, manufacturer: 'Careloop simulator' })).id
}

async function newCredential(rooms: Rooms, by: By, device: string, kind: Credential['kind']): Promise<Credential> {
  if (kind === 'token') return { kind, token: await freshToken(rooms, by, device, {}) }
  const { certificate, privateKey, authority } = await rooms.fleet.issueCertificate(by, device, { label: 'demo' })
  return { kind, certificate, privateKey: privateKey!, authority }
}

async function freshToken(rooms: Rooms, by: By, device: string, more: { expiresAt?: number }): Promise<string> {
  return (await rooms.fleet.createDeviceToken(by, device, { label: 'demo', ...more })).token
}

/** A device for the reader's own hands, with a token of this run that ends in a day. */
export async function deviceToTry(
  rooms: Rooms,
  people: People,
  place: Place,
  cast: DeviceCast,
  now: number,
): Promise<string> {
  await enrolDevice(rooms, people, place, cast, now)
  const by = people.by.clinic
  return freshToken(rooms, by, await deviceId(rooms, by, cast), { expiresAt: now + DAY })
}
