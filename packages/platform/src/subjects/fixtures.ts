/** Subjects for tests of this and later rooms. Seeded names are canaries: they must never be found outside a sealed body. */
import type { NewSubject } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { type By, byConsole } from './by.ts'
import type { StaffOf } from './staff.ts'
import { makeSubjects, type Subjects } from './subjects.ts'

export const mrnSystem = 'urn:oid:2.16.840.1.113883.19.5'

/** A patient with a name, a birth date, an MRN, a telephone, an e-mail and an address. */
export const aPatient = (over: { given?: string; family?: string; mrn?: string } = {}): NewSubject => ({
  timeZone: 'Europe/Vienna',
  resource: {
    resourceType: 'Patient',
    identifier: [{ system: mrnSystem, value: over.mrn ?? `MRN-${Math.floor(nextNumber())}` }],
    name: [{ use: 'official', family: over.family ?? 'Zwölfaxinger', given: [over.given ?? 'Kunigunde'] }],
    birthDate: '1947-02-11',
    telecom: [
      { system: 'phone', value: '+43 664 7788990' },
      { system: 'email', value: 'Kuni.Zwoelf@example.org' },
    ],
    address: [{ line: ['Obstgartlweg 17'], city: 'Gänserndorf', postalCode: '2230' }],
  },
})

export const aFridge = (name = 'Vaccine refrigerator 3'): NewSubject => ({
  timeZone: 'America/Chicago',
  resource: { resourceType: 'Device', deviceName: [{ name, type: 'user-friendly-name' }], serialNumber: 'SN-4711-Q' },
})

let numbers = 1000
const nextNumber = (): number => numbers++

/** The room for a test, with a staff of these ids. */
export function testSubjects(engine: Engine, staff: readonly string[] = ['nora', 'ben']): Subjects {
  const staffOf: StaffOf = async () => staff.map((id) => ({ id, endedAt: null }))
  return makeSubjects(engine, staffOf)
}

export const byTest = (tenant: string): By => byConsole(tenant)

/** A service token of the organisation's own program, which sees patients without their consent. Nothing stands in the trail. */
export const asOwnService = (engine: Engine, tenant: string, service: string): Promise<void> =>
  engine.db.asTenant(tenant, async (tx) => {
    await tx.client.query(
      `insert into tenant.consent_setting (holds_part2, own_services, changed_at) values (false, array[$1::uuid], 0)
       on conflict (tenant_id) do update set own_services = consent_setting.own_services || excluded.own_services`,
      [service],
    )
  })
