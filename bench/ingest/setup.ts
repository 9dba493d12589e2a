/** Two organisations with patients who wear the devices of a load, each device with a token or a certificate. */
import type { Rooms } from '../../packages/platform/src/app/rooms.ts'
import type { By } from '../../packages/platform/src/subjects/index.ts'
import { loadProgram } from '../support/load-program.ts'
import type { Device } from './generator.ts'

/** Long before any reading. */
const SINCE = Date.UTC(2020, 0, 1)

/** @param watched whether the load's rules stand for the patients */
export async function enrolDevices(
  rooms: Rooms,
  count: number,
  { certificates, watched }: { readonly certificates: boolean; readonly watched: boolean },
): Promise<Device[]> {
  const devices: Device[] = []
  for (const [half, name] of ['North clinic', 'South clinic'].entries()) {
    const tenant = await rooms.identity.createTenant(`${name} ${rooms.engine.ids.uuid().slice(-6)}`)
    const by: By = { tenant, actor: 'cli' }
    const owners = watched ? await watch(rooms, by) : null
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
  return devices
}

interface Owners {
  readonly owner: string
  readonly backup: string
}

/** The load's rules, and who answers for them. */
async function watch({ identity, alerting }: Rooms, by: By): Promise<Owners> {
  const person = async (role: 'nurse' | 'physician') => {
    const wanted = { tenant: by.tenant, displayName: `A ${role}`, roles: [role], email: `${role}@${by.tenant}.example` }
    return (await identity.createUser(wanted)).id
  }
  const owners = { owner: await person('nurse'), backup: await person('physician') }
  await alerting.activate(by, loadProgram())
  return owners
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
  if (owners !== null) await subjects.enrol(by, patient.id, { program: 'load', ...owners })
  if (!certificate) return { name, device: id, token: (await fleet.createDeviceToken(by, id, {})).token }
  const issued = await fleet.issueCertificate(by, id, {})
  return { name, device: id, cert: issued.certificate, key: issued.privateKey! }
}
