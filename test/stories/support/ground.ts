/** A real server with a clinic on it: devices worn by patients, a program that raises alerts, a nurse who owns them. */
import { fileURLToPath } from 'node:url'
import { startServer, type TestServer } from '../../../bench/support/server.ts'
import { readPrograms } from '../../../packages/platform/src/alerting/program-files.ts'
import { atOnce } from '../../../packages/platform/src/alerting/testing/at-once.ts'
import type { Rooms } from '../../../packages/platform/src/app/rooms.ts'
import type { By } from '../../../packages/platform/src/subjects/index.ts'
import { type Naming, StoryDevice, type StoryDeviceOptions } from './story-device.ts'

/** Long before any reading. */
const SINCE = Date.UTC(2020, 0, 1)

export interface Clinic {
  readonly tenant: string
  readonly by: By
  /** Owner of all that is enrolled here; the only one of her role. */
  readonly nurse: string
  /** Backup of what names one, and holder of every other role. */
  readonly colleague: string
}

export interface Ground {
  readonly server: TestServer
  readonly clinic: Clinic
  /** The rooms on the same database, in this process. */
  rooms(): Rooms
  /** Lets the rooms go before the database is hurt: the story looks again, with `reopen`, when it is well. */
  letGo(): Promise<void>
  reopen(): Promise<void>
  /** A worn device that is not started yet. */
  device(naming: Naming, over?: Partial<StoryDeviceOptions>): Promise<StoryDevice>
  /** A patient in the hypertension program with a cuff. */
  cuff(): Promise<HttpDevice>
  /** A patient who wears devices that speak HTTP, and is in no program yet. */
  wearer(devices: number): Promise<readonly HttpDevice[]>
  /** The colleague is backup. */
  enrolInto(program: string, subject: string): Promise<void>
  end(): Promise<void>
}

export interface HttpDevice {
  readonly subject: string
  readonly name: string
  readonly device: string
  readonly token: string
}

export async function openGround(env: NodeJS.ProcessEnv = {}): Promise<Ground> {
  const server = await startServer({ CARELOOP_SEAL_AFTER_MS: '300', ...env })
  try {
    let opened = await server.rooms()
    const clinic = await makeClinic(opened.rooms)
    let devices = 0
    const made: StoryDevice[] = []
    const enrol = async (name: string, subject: string) => {
      const { fleet } = opened.rooms
      const { id } = await fleet.enrolDevice(clinic.by, { name, profile: 'generic', classification: 'medical' })
      await fleet.assign(clinic.by, id, subject, SINCE)
      return { name, device: id, token: (await fleet.createDeviceToken(clinic.by, id, {})).token }
    }
    return {
      server,
      clinic,
      rooms: () => opened.rooms,
      letGo: () => opened.close(),
      async reopen() {
        opened = await server.rooms()
      },
      async device(naming, over = {}) {
        const patient = await newPatient(opened.rooms, clinic.by)
        const enrolled = await enrol(`story-${++devices}`, patient)
        const device = new StoryDevice({ ...enrolled, naming, port: () => server.mqtt, ...over })
        made.push(device)
        return device
      },
      async cuff() {
        const subject = await newPatient(opened.rooms, clinic.by)
        await opened.rooms.subjects.enrol(clinic.by, subject, {
          program: 'hypertension-rpm',
          owner: clinic.nurse,
          from: SINCE,
        })
        return { subject, ...(await enrol(`cuff-${++devices}`, subject)) }
      },
      async wearer(count) {
        const subject = await newPatient(opened.rooms, clinic.by)
        const names = Array.from({ length: count }, () => `worn-${++devices}`)
        return Promise.all(names.map(async (name) => ({ subject, ...(await enrol(name, subject)) })))
      },
      async enrolInto(program, subject) {
        const { nurse: owner, colleague: backup } = clinic
        await opened.rooms.subjects.enrol(clinic.by, subject, { program, owner, backup, from: SINCE })
      },
      async end() {
        for (const device of made) device.end()
        await opened.close().catch(() => {})
        await server.remove()
      },
    }
  } catch (error) {
    await server.remove()
    throw error
  }
}

async function makeClinic(rooms: Rooms): Promise<Clinic> {
  const tenant = await rooms.identity.createTenant('Story clinic')
  const by: By = { tenant, actor: 'cli' }
  const nurse = await rooms.identity.createUser({
    ...{ tenant, email: 'nurse@example.org', displayName: 'Nora Nurse', roles: ['nurse'] },
  })
  // Owner and backup of every rule must be somebody, or it is refused.
  const colleague = await rooms.identity.createUser({
    ...{ tenant, email: 'others@example.org', displayName: 'Otto Others' },
    roles: ['physician', 'facilities', 'pharmacist', 'biomed'],
  })
  const programs = await readPrograms(fileURLToPath(new URL('../../../programs', import.meta.url)))
  for (const program of programs) await rooms.alerting.activate(by, atOnce(program))
  return { tenant, by, nurse: nurse.id, colleague: colleague.id }
}

async function newPatient(rooms: Rooms, by: By): Promise<string> {
  const patient = await rooms.subjects.create(by, {
    timeZone: 'America/Chicago',
    resource: { resourceType: 'Patient', name: [{ family: 'Story', given: ['Test'] }], birthDate: '1950-01-01' },
  })
  return patient.id
}
