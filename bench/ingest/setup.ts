/** Two organisations with patients who wear the devices of a load, each device with a token or a certificate. */
import type { Rooms } from '../../packages/platform/src/app/rooms.ts'
import type { By } from '../../packages/platform/src/subjects/index.ts'
import { loadProgram } from '../support/load-program.ts'
import type { Device } from './generator.ts'

/** Long before any reading. */
const SINCE = Date.UTC(2020, 0, 1)

export interface Load {
  readonly devices: readonly Device[]
  /** Of watched patients: the organisations, the first half of the devices in the first. */
  readonly clinics: readonly Clinic[]
}

export interface Clinic extends Owners {
  readonly tenant: string
}

/** Family name of the patient who wears a device. */
export const patientOf = (device: Device): string => device.name.replace('monitor-', 'Load')

/** @param watched whether the load's rules stand for the patients */
export async function enrolDevices(
  rooms: Rooms,
  count: number,
  { certificates, watched }: { readonly certificates: boolean; readonly watched: boolean },
): Promise<Load> {
  const devices: Device[] = []
  const clinics: Clinic[] = []
  for (const [half, name] of ['North clinic', 'South clinic'].entries()) {
    const tenant = await rooms.identity.createTenant(`${name} ${rooms.engine.ids.uuid().slice(-6)}`)
    const by: By = { tenant, actor: 'cli' }
    const owners = watched ? await watch(rooms, by) : null
    if (owners !== null) clinics.push({ tenant, ...owners })
    const share = half === 0 ? Math.ceil(count / 2) : Math.floor(count / 2)
    for (let i = 0; i < share; i += 20)
      devices.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(20, share - i) }, (_, j) =>
            enrolOne(rooms, by, half * 100_000 + i + j, certificates, owners),
          ),
        )),
      )
  }
  return { devices, clinics }
}

interface Owners {
  /** A nurse, and how they sign in. */
  readonly owner: string
  readonly email: string
  readonly password: string
  readonly backup: string
}

/** The load's rules, and who answers for them. */
async function watch({ identity, alerting }: Rooms, by: By): Promise<Owners> {
  const person = async (role: 'nurse' | 'physician') => {
    const email = `${role}@${by.tenant}.example`
    const wanted = {
      tenant: by.tenant,
      displayName: `A ${role}`,
      roles: [role],
      email,
      password: `${role} of the bench`,
    }
    return { id: (await identity.createUser(wanted)).id, email, password: wanted.password }
  }
  const { id: owner, email, password } = await person('nurse')
  const { id: backup } = await person('physician')
  await alerting.activate(by, loadProgram())
  return { owner, email, password, backup }
}

async function enrolOne(
  rooms: Rooms,
  by: By,
  number: number,
  certificate: boolean,
  owners: Owners | null,
): Promise<Device> {
  const { subjects, fleet } = rooms
  const patient = await subjects.create(by, {
    timeZone: 'America/Chicago',
    resource: {
      resourceType: 'Patient',
      name: [{ family: `Load${number}`, given: ['Test'] }],
      birthDate: '1950-01-01',
    },
  })
  const name = `monitor-${number}`
  const { id } = await fleet.enrolDevice(by, { name, profile: 'generic', classification: 'medical' })
  await fleet.assign(by, id, patient.id, SINCE)
  if (owners !== null)
    await subjects.enrol(by, patient.id, { program: 'load', owner: owners.owner, backup: owners.backup })
  if (!certificate) return { name, device: id, token: (await fleet.createDeviceToken(by, id, {})).token }
  const issued = await fleet.issueCertificate(by, id, {})
  return { name, device: id, cert: issued.certificate, key: issued.privateKey! }
}
