/** Caregivers with an account at a chart as RelatedPerson. */
import type { Relationship } from '@careloop/contract'
import type { Engine } from '../../engine/index.ts'
import { type CaregiverSource, caregiverIdsAfter, caregiverIdsChanged, caregiverSources } from '../../identity/index.ts'
import type { Derived } from '../clinical.ts'
import { type PatientIds, subjectReference, type View } from './view.ts'
import { type Coding, period } from './words.ts'

/** As a Consent names whom it is for. */
const granteeSystem = 'urn:careloop:grantee:caregiver'

export const caregiverView = (engine: Engine, clinical: PatientIds): View => ({
  name: 'caregivers',
  types: ['RelatedPerson'],
  facts: ['AccessChanged', 'SightChanged', 'ConsentChanged'],
  async idsOf({ tenant, body }) {
    const { principal, user, grantee } = body as { principal?: string; user?: string; grantee?: string | null }
    const users = [principal ?? user ?? grantee].flatMap((id) => (isUuid(id) ? [id] : []))
    if (users.length === 0) return []
    return (await caregiverSources(engine, tenant, { users })).map(({ id }) => id)
  },
  page: (tenant, after, limit) => caregiverIdsAfter(engine, tenant, after, limit),
  // Who makes their account before any consent names them is told of by no fact.
  changed: (tenant, since) => caregiverIdsChanged(engine, tenant, since),
  async open(tenant, ids) {
    const caregivers = await caregiverSources(engine, tenant, { ids })
    return async (tx) => {
      const keep: Derived[] = []
      for (const caregiver of caregivers) {
        const { reference } = await subjectReference(clinical, tx, { id: caregiver.subject, kind: 'patient' })
        keep.push(personOf(caregiver, reference))
      }
      return { keep }
    }
  },
})

const isUuid = (text: string | null | undefined): text is string =>
  typeof text === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

function personOf(
  { id, user, subject, name, relationship, activatedAt, endedAt }: CaregiverSource,
  patient: string,
): Derived {
  const resource = {
    ...{ resourceType: 'RelatedPerson', id, identifier: [{ system: granteeSystem, value: user }] },
    ...{ active: endedAt === null, patient: { reference: patient } },
    ...(relationship === null ? {} : { relationship: [relationshipOf(relationship)] }),
    ...(name === null ? {} : { name: [{ text: name }] }),
    period: period(activatedAt, endedAt),
  }
  return { resource, subject, at: endedAt ?? activatedAt }
}

const roleCode = (code: string, display: string): Coding => ({
  ...{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code, display },
})

const codes: Readonly<Record<Relationship, Coding | null>> = {
  partner: roleCode('DOMPART', 'domestic partner'),
  parent: roleCode('PRN', 'parent'),
  child: roleCode('CHILD', 'child'),
  sibling: roleCode('SIB', 'sibling'),
  friend: roleCode('FRND', 'unrelated friend'),
  guardian: roleCode('GUARD', 'guardian'),
  professional: null,
  other: null,
}

const relationshipOf = (relationship: Relationship) => {
  const coding = codes[relationship]
  return { ...(coding === null ? {} : { coding: [coding] }), text: relationship }
}
