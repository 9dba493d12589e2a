/** Subjects as Patient, Device (an asset that is watched) or Location. */
import { type FhirTree, parseFhir, type Resource } from '@careloop/fhir'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { type SubjectSource, subjectIdsAfter, subjectSources } from '../../subjects/index.ts'
import type { View } from './view.ts'
import { organisation, timeZoneExtension, timeZoneOf } from './words.ts'

export const subjectView = (engine: Engine): View => ({
  name: 'subjects',
  types: ['Patient', 'Device', 'Location'],
  facts: ['SubjectChanged'],
  idsOf: ({ body }) => [(body as { subject: string }).subject],
  page: (tenant, after, limit) => engine.db.asTenant(tenant, (tx) => subjectIdsAfter(tx, after, limit)),
  open: async () => async (tx, ids) => {
    await holdViews(tx, ids)
    const sources = await subjectSources(engine, tx, ids)
    const keep = []
    for (const source of sources) {
      const resource = resourceOf(source, tx.tenant)
      keep.push({ resource, subject: source.id, at: source.updatedAt })
    }
    return { keep }
  },
})

/**
 * A write by FHIR holds the resource first and its subject second: so does this, and waits for nobody, so that the two never wait for
 * each other. @throws 55P03 when somebody writes one of them now: try again
 */
async function holdViews(tx: TenantTx, subjects: readonly string[]): Promise<void> {
  await tx.client.query(
    `select from tenant.clinical_resource
      where tenant_id = $1 and subject_id = any($2::uuid[]) and type in ('Patient', 'Device', 'Location')
      order by rid for update nowait`,
    [tx.tenant, subjects],
  )
}

/** What FHIR wrote is given back as it came, under the id that it chose; of what was typed into a page we know some things more. */
function resourceOf(source: SubjectSource, tenant: string): Resource {
  const { id, ...tree } = parseFhir(source.text)
  // A tree keeps the spelling of its decimals, which the store writes down.
  return (source.byFhir
    ? { ...tree, id: typeof id === 'string' ? id : source.id }
    : { ...tree, id: source.id, ...known(source, tree, tenant) }) as unknown as Resource
}

function known(source: SubjectSource, tree: FhirTree | Omit<FhirTree, 'id'>, tenant: string) {
  const extensions = Array.isArray(tree.extension) ? tree.extension : []
  const zone = timeZoneOf(tree) === undefined ? [timeZoneExtension(source.timeZone)] : []
  const site = source.site === null ? undefined : { reference: `Location/${source.site}` }
  const shared = { extension: [...extensions, ...zone] }
  if (source.kind === 'patient')
    return { managingOrganization: organisation(tenant), ...kept(tree, 'managingOrganization'), ...shared }
  if (source.kind === 'asset')
    return {
      ...{ owner: organisation(tenant), ...(site === undefined ? {} : { location: site }) },
      ...{ ...kept(tree, 'owner'), ...kept(tree, 'location'), ...shared },
    }
  return {
    ...{
      mode: 'instance',
      managingOrganization: organisation(tenant),
      ...(site === undefined ? {} : { partOf: site }),
    },
    ...{ ...kept(tree, 'mode'), ...kept(tree, 'managingOrganization'), ...kept(tree, 'partOf'), ...shared },
  }
}

/** What a page said itself goes before what we add. */
const kept = (tree: { readonly [element: string]: unknown }, element: string) =>
  tree[element] === undefined ? {} : { [element]: tree[element] }
