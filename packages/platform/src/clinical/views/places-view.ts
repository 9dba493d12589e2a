/** The organisation and its sites: what everything else belongs to or stands in. */
import type { Engine, TenantTx } from '../../engine/index.ts'
import { organisationSource } from '../../identity/index.ts'
import { siteSources } from '../../subjects/index.ts'
import type { Derived } from '../clinical.ts'
import type { Made, View } from './view.ts'
import { concept, organisation, timeZoneExtension } from './words.ts'

/** One thing an organisation: they are few, and are made together. */
export const placesView = (engine: Engine): View => ({
  name: 'places',
  types: ['Organization', 'Location'],
  facts: ['SiteChanged'],
  idsOf: ({ tenant }) => [tenant],
  page: async (tenant, after) => (after === null ? [tenant] : []),
  // An organisation is made before it has anything, and nobody tells of it.
  changed: async (tenant) => [tenant],
  async open(tenant) {
    const own = await organisationSource(engine, tenant)
    return async (tx): Promise<Made> => {
      if (own === null) return { keep: [] }
      return { keep: [organisationOf(own), ...(await sitesOf(tx))] }
    }
  },
})

interface Own {
  readonly id: string
  readonly name: string
  readonly createdAt: number
}

const organisationOf = ({ id, name, createdAt }: Own): Derived => ({
  resource: {
    ...{ resourceType: 'Organization', id, active: true },
    type: [concept({ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'prov' })],
    name,
  },
  subject: null,
  at: createdAt,
})

async function sitesOf(tx: TenantTx): Promise<Derived[]> {
  return (await siteSources(tx)).map(({ id, name, timeZone, createdAt }) => ({
    resource: {
      ...{ resourceType: 'Location', id, extension: [timeZoneExtension(timeZone)], status: 'active', name },
      mode: 'instance',
      physicalType: concept({
        ...{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: 'si', display: 'Site' },
      }),
      managingOrganization: organisation(tx.tenant),
    },
    subject: null,
    at: createdAt,
  }))
}
