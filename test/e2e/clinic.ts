/** A real Careloop in a fresh folder, with a small clinic in it: people, a patient with a cuff, a refrigerator with a logger. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Role } from '@careloop/contract'
import {
  type By,
  byConsole,
  makeWatch,
  newSecret,
  type Platform,
  readConfig,
  readPrograms,
  startPlatform,
} from '@careloop/platform'
import { connectAsync, type MqttClient } from 'mqtt'
import { buildWeb } from '../../scripts/build-web.ts'

const programs = fileURLToPath(new URL('../../programs', import.meta.url))

export interface Person {
  readonly id: string
  readonly email: string
  readonly password: string
  readonly name: string
  /** Of an authenticator app, base32: who changes rules has one. */
  readonly secret?: string
}

export interface Clinic {
  readonly platform: Platform
  /** Base URL of the pages. */
  readonly url: string
  readonly nurse: Person
  readonly colleague: Person
  readonly biomed: Person
  readonly facilities: Person
  readonly physician: Person
  /** The patient's cuff, connected over MQTT by MQTT.js. */
  readonly cuff: MqttClient
  /** Publishes as the refrigerator's logger by the `mosquitto_pub` that everybody has. */
  logger(values: Readonly<Record<string, number>>): Promise<void>
}

export interface Ground {
  readonly platform: Platform
  readonly url: string
  close(): Promise<void>
}

/** The platform alone, as its first start leaves it: nobody is a member of anything. */
export async function startGround(more: Readonly<Record<string, string>> = {}): Promise<Ground> {
  await buildWeb()
  const folder = mkdtempSync(join(tmpdir(), 'careloop-e2e-'))
  const config = readConfig({
    CARELOOP_DATA: join(folder, 'data'),
    CARELOOP_MASTER_KEY_FILE: join(folder, 'keys', 'master.key'),
    CARELOOP_HTTP_PORT: '0',
    CARELOOP_MQTT_PORT: '0',
    CARELOOP_MQTTS_PORT: 'off',
    CARELOOP_LOG: 'error',
    CARELOOP_DISK_FLOOR_BYTES: '0',
    CARELOOP_BALLAST_BYTES: '0',
    ...more,
  })
  const platform = await startPlatform(config, makeWatch({ level: 'error' }))
  return {
    platform,
    url: platform.http!,
    async close() {
      await platform.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Fills the organisation that the first administrator made. */
export async function openClinic({ platform, url }: Ground, tenant: string): Promise<Clinic> {
  const { subjects, alerting } = platform.rooms
  const by = byConsole(tenant)
  const nurse = await person(platform, tenant, 'Nora Nurse', 'nurse')
  const colleague = await person(platform, tenant, 'Carl Colleague', 'nurse')
  const facilities = await person(platform, tenant, 'Ben Building', 'facilities')
  const biomed = await person(platform, tenant, 'Bea Biomed', 'biomed')
  const physician = await withApp(platform, tenant, await person(platform, tenant, 'Phil Physician', 'physician'))
  await person(platform, tenant, 'Petra Pharmacist', 'pharmacist')
  for (const program of await readPrograms(programs)) await alerting.activate(by, program)
  await subjects.createCareTeam(by, { name: 'Hypertension', members: [nurse.id, colleague.id] })
  const patient = await subjects.create(by, {
    timeZone: 'Europe/Vienna',
    resource: { resourceType: 'Patient', name: [{ family: 'Álvarez', given: ['Maria'] }], birthDate: '1951-04-02' },
  })
  const fridge = await subjects.create(by, {
    timeZone: 'Europe/Vienna',
    resource: { resourceType: 'Device', deviceName: [{ name: 'Vaccine refrigerator 2', type: 'user-friendly-name' }] },
  })
  // A cuff sends what it measured some minutes ago: a crisis and its repeat.
  const from = Date.now() - 3_600_000
  await subjects.enrol(by, patient.id, { program: 'hypertension-rpm', owner: nurse.id, backup: colleague.id, from })
  await subjects.enrol(by, fridge.id, { program: 'vaccine-fridge', owner: facilities.id, backup: nurse.id, from })
  const cuffToken = await deviceOn(platform, by, 'cuff-1', 'medical', patient.id, from)
  const loggerToken = await deviceOn(platform, by, 'fridge-logger-2', 'operational', fridge.id, from)
  const { host, port } = platform.doors!.mqtt.addresses.find(({ door }) => door === 'mqtt')!
  const cuff = await connectAsync(`mqtt://${host}:${port}`, {
    clientId: 'cuff-1',
    username: cuffToken,
    protocolVersion: 5,
  })
  return {
    ...{ platform, url, nurse, colleague, biomed, facilities, physician, cuff },
    async logger(values) {
      const words = ['-h', host, '-p', String(port), '-u', loggerToken, '-q', '1', '-i', 'fridge-logger-2']
      const message = ['-t', 'devices/fridge-logger-2/telemetry', '-m', JSON.stringify({ values })]
      await promisify(execFile)('mosquitto_pub', [...words, ...message])
    },
  }
}

async function person(platform: Platform, tenant: string, name: string, role: Role) {
  const email = `${name.toLowerCase().replace(' ', '.')}@clinic.example`
  const password = `a calm phrase of ${name}'s friend`
  const { id } = await platform.rooms.identity.createUser({ tenant, displayName: name, roles: [role], email, password })
  return { id, email, password, name }
}

/** With an authenticator app, for whoever does what wants a fresh proof. */
export async function withApp({ rooms }: Platform, tenant: string, who: Person): Promise<Person> {
  const secret = newSecret()
  await rooms.identity.presetSecondFactor(tenant, who.id, secret)
  return { ...who, secret }
}

async function deviceOn(
  platform: Platform,
  by: By,
  name: string,
  classification: 'medical' | 'operational',
  subject: string,
  from: number,
) {
  const { fleet } = platform.rooms
  const device = await fleet.enrolDevice(by, { name, classification, profile: 'generic' })
  await fleet.assign(by, device.id, subject, from)
  return (await fleet.createDeviceToken(by, device.id, {})).token
}
