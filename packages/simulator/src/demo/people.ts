/** Makes organisations, staff, sites, subjects and programs; what is there already stays as it is. */
import { randomInt } from 'node:crypto'
import type { NewSubject } from '@careloop/contract'
import { type By, byConsole, demandsSecondFactor, newSecret, type Platform, readPrograms } from '@careloop/platform'
import { DAY } from '../signals/day-rhythm.ts'
import {
  careTeams,
  type OrganisationKey,
  organisations,
  owners,
  type StaffCast,
  type SubjectCast,
  sites,
  staff,
  subjects,
} from './cast.ts'
import type { Place } from './place.ts'

type Rooms = Platform['rooms']

export interface People {
  readonly by: Readonly<Record<OrganisationKey, By>>
  /** Subject ids by key of the cast. */
  readonly subjects: ReadonlyMap<string, string>
}

const identifierSystem = 'urn:careloop:demo'

export async function makePeople(rooms: Rooms, place: Place, programs: string, now: number): Promise<People> {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const by = { clinic: await organisation(rooms, 'clinic'), pharmacy: await organisation(rooms, 'pharmacy') }
  const staffIds = await makeStaff(rooms, place, by)
  const siteIds = { clinic: await site(rooms, by, 'clinic', zone), pharmacy: await site(rooms, by, 'pharmacy', zone) }
  for (const program of await readPrograms(programs)) {
    const key = program.subjectKind === 'patient' ? 'clinic' : 'pharmacy'
    await rooms.alerting.activate(by[key], program)
  }
  const teams = await makeTeams(rooms, by.clinic, staffIds)
  const made = new Map<string, string>()
  for (const each of subjects) {
    const home = { site: siteIds[each.organisation], team: each.team === undefined ? undefined : teams.get(each.team) }
    const id = await subject(rooms, by[each.organisation], each, home, zone)
    made.set(each.key, id)
    await enrolment(rooms, by[each.organisation], each, id, staffIds, now)
  }
  return { by, subjects: made }
}

async function organisation(rooms: Rooms, key: OrganisationKey): Promise<By> {
  const name = organisations[key]
  const tenant = await rooms.identity.findTenant(name).catch((error: { code?: string }) => {
    if (error.code !== 'tenant-not-found') throw error
    return rooms.identity.createTenant(name)
  })
  return byConsole(tenant)
}

/** @returns user ids by `organisation/key` */
async function makeStaff(rooms: Rooms, place: Place, by: People['by']): Promise<Map<string, string>> {
  const ids = new Map<string, string>()
  for (const each of staff) {
    const { tenant } = by[each.organisation]
    const member = (await rooms.identity.members(tenant)).find(({ email }) => email === each.email)
    const id = member?.id ?? (await newMember(rooms, place, tenant, each))
    ids.set(`${each.organisation}/${each.key}`, id)
    if (wantsApp(each.roles) && !member?.hasSecondFactor) await giveApp(rooms, place, tenant, each.email, id)
  }
  return ids
}

async function newMember(rooms: Rooms, place: Place, tenant: string, who: StaffCast): Promise<string> {
  // Remembered before it is set, so that a demo that is stopped here still knows the password when it comes back.
  place.memory.passwords[who.email] ??= passphrase()
  place.save()
  const { email, displayName, roles } = who
  const { id } = await rooms.identity.createUser({
    ...{ tenant, email, displayName, roles },
    password: place.memory.passwords[email]!,
  })
  return id
}

/** Who changes rules and takes devices off shows a second factor before it; others set one up when they come to need it. */
const wantsApp = (roles: StaffCast['roles']): boolean =>
  demandsSecondFactor(roles) || roles.includes('physician') || roles.includes('biomed')

/** Some need a second factor, in the demo too: theirs is made here, and the demo tells the code. */
async function giveApp(rooms: Rooms, place: Place, tenant: string, email: string, id: string): Promise<void> {
  place.memory.secondFactors[email] ??= newSecret()
  place.save()
  await rooms.identity.presetSecondFactor(tenant, id, place.memory.secondFactors[email])
}

const WORDS = 'amber birch cedar delta ember fjord grove heron ivory jolly karst lemon maple north olive pearl'.split(
  ' ',
)

/** Easy to type, made anew for each demo folder: about 29 bits, enough for a demo that only this machine can reach. */
const passphrase = (): string =>
  [...Array.from({ length: 4 }, () => WORDS[randomInt(WORDS.length)]!), String(randomInt(1000, 9999))].join('-')

async function site(rooms: Rooms, by: People['by'], key: OrganisationKey, timeZone: string): Promise<string> {
  const known = (await rooms.subjects.sites(by[key].tenant)).find(({ name }) => name === sites[key])
  return (known ?? (await rooms.subjects.createSite(by[key], { name: sites[key], timeZone }))).id
}

/** @returns care team ids by name */
async function makeTeams(rooms: Rooms, by: By, staffIds: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const known = new Map((await rooms.subjects.careTeams(by.tenant)).map(({ name, id }) => [name, id]))
  for (const [name, keys] of Object.entries(careTeams)) {
    if (known.has(name)) continue
    const members = keys.map((key) => staffIds.get(`clinic/${key}`)!)
    known.set(name, (await rooms.subjects.createCareTeam(by, { name, members })).id)
  }
  return known
}

interface Home {
  readonly site: string
  readonly team: string | undefined
}

async function subject(rooms: Rooms, by: By, cast: SubjectCast, home: Home, timeZone: string): Promise<string> {
  const identifier = { system: identifierSystem, value: `DEMO-${cast.key}` }
  const [known] = await rooms.subjects.search(by, { identifier, limit: 1 })
  if (known) return known.id
  const { name } = cast
  const resource: NewSubject['resource'] =
    typeof name === 'string'
      ? { resourceType: 'Device', identifier: [identifier], deviceName: [{ name, type: 'user-friendly-name' }] }
      : {
          ...{ resourceType: 'Patient', identifier: [identifier], birthDate: name.birthDate },
          name: [{ use: 'official', family: name.family, given: [name.given] }],
        }
  const { site, team } = home
  return (await rooms.subjects.create(by, { timeZone, site, resource, ...(team === undefined ? {} : { team }) })).id
}

async function enrolment(
  rooms: Rooms,
  by: By,
  { organisation, program, days }: SubjectCast,
  id: string,
  staffIds: ReadonlyMap<string, string>,
  now: number,
): Promise<void> {
  if (program === null) return
  const known = await rooms.subjects.enrolmentsOf(by.tenant, id)
  if (known.some((each) => each.program === program && each.to === null)) return
  const { owner, backup } = owners[organisation]
  const idOf = (key: string) => staffIds.get(`${organisation}/${key}`)!
  await rooms.subjects.enrol(by, id, { program, owner: idOf(owner), backup: idOf(backup), from: now - days * DAY })
}
