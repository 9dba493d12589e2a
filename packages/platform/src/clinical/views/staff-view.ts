/** Members of staff as Practitioner, what they do here as PractitionerRole. */
import type { Role } from '@careloop/contract'
import type { Engine } from '../../engine/index.ts'
import { type StaffSource, staffSources } from '../../identity/index.ts'
import type { Derived } from '../clinical.ts'
import type { View } from './view.ts'
import { type Coding, organisation, period, practitioner, systems } from './words.ts'

export const staffView = (engine: Engine): View => ({
  name: 'staff',
  types: ['Practitioner', 'PractitionerRole'],
  facts: ['AccessChanged'],
  // A service token, or the account of a patient, has no row among the staff.
  idsOf: ({ body }) => [(body as { principal: string }).principal],
  async page(tenant, after, limit) {
    const all = await staffSources(engine, tenant)
    return all.flatMap(({ id }) => (after === null || id > after ? [id] : [])).slice(0, limit)
  },
  // Who comes by an invitation or by the provider, and who is renamed there, changes without a fact.
  async changed(tenant, since) {
    const all = await staffSources(engine, tenant)
    return all.flatMap(({ id, changedAt }) => (changedAt > since ? [id] : []))
  },
  async open(tenant) {
    const staff = new Map((await staffSources(engine, tenant)).map((each) => [each.id, each]))
    return async (_tx, ids) => ({
      keep: ids.flatMap((id) => {
        const person = staff.get(id)
        return person === undefined ? [] : resourcesOf(person, tenant)
      }),
    })
  },
})

function resourcesOf(person: StaffSource, tenant: string): Derived[] {
  const { id, displayName, roles, createdAt, endedAt, changedAt } = person
  const active = endedAt === null
  const practitionerResource = {
    ...{ resourceType: 'Practitioner', id, active },
    identifier: [{ system: systems.staff, value: id }],
    name: [{ text: displayName }],
  }
  const role = {
    ...{ resourceType: 'PractitionerRole', id, active, period: period(createdAt, endedAt) },
    ...{ practitioner: practitioner(id), organization: organisation(tenant) },
    code: [...roles].sort().map((each) => ({ coding: codingsOf(each) })),
  }
  return [practitionerResource, role].map((resource) => ({ resource, subject: null, at: changedAt }))
}

/** Occupations that SNOMED CT names; every role in our own words besides. */
const occupations: Partial<Record<Role, Coding>> = {
  nurse: { system: 'http://snomed.info/sct', code: '106292003', display: 'Professional nurse' },
  physician: { system: 'http://snomed.info/sct', code: '309343006', display: 'Physician' },
  pharmacist: { system: 'http://snomed.info/sct', code: '46255001', display: 'Pharmacist' },
}

const codingsOf = (role: Role): Coding[] => {
  const known = occupations[role]
  return [...(known === undefined ? [] : [known]), { system: systems.role, code: role }]
}
