/** Patients, locations and assets that come by FHIR go to the room that owns them, in the transaction of the write. */
import { Failure, type SubjectKind, type SubjectResource } from '@careloop/contract'
import { type FhirTree, type Resource, writeFhir } from '@careloop/fhir'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { deviceIdsAmong } from '../../fleet/index.ts'
import { createByFhir, placesOf, siteSources, updateByFhir } from '../../subjects/index.ts'
import { clinicalFailure } from '../errors.ts'
import type { TakeIn, Taking } from '../parts.ts'
import { insteadOf } from './instead-of.ts'
import { systems, timeZoneOf } from './words.ts'

const kinds: Readonly<Record<string, SubjectKind>> = { Patient: 'patient', Location: 'location', Device: 'asset' }
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * What is a subject, or becomes one. A Device is one where it is tagged as an asset; any other is kept as it came: devices that measure
 * are enrolled in the fleet, which gives them credentials.
 */
export const takeInSubjects =
  (engine: Engine): TakeIn =>
  async (tx, by, taking) => {
    const { resource, before } = taking
    const kind = kinds[resource.resourceType]
    if (kind === undefined) return null
    const subject = await standingSubject(tx, taking, kind)
    if (subject === null && kind === 'asset' && !isTaggedAsset(resource)) return null
    const write = {
      resource: resource as unknown as SubjectResource,
      text: textOf({ ...taking.tree, id: taking.id }),
      timeZone: timeZoneOf(resource),
    }
    const seenAt = before?.updatedAt ?? engine.clock.now()
    return saying(resource.resourceType, async () => {
      if (subject === null) return { subject: await createByFhir(engine, tx, by, write), isView: true }
      await updateByFhir(engine, tx, by, { ...write, subject, seenAt })
      return { subject, isView: true }
    })
  }

/** What is kept: with the id that the client chose, without what the store says itself. */
function textOf({ meta, ...tree }: FhirTree): string {
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) return writeFhir(tree as FhirTree)
  const { versionId: _version, lastUpdated: _at, ...said } = meta as Record<string, FhirTree[string]>
  return writeFhir((Object.keys(said).length === 0 ? tree : { ...tree, meta: said }) as FhirTree)
}

/** The subject that this writes to; null = none yet. @throws Failure `resource-derived` where it is something else of ours */
async function standingSubject(
  tx: TenantTx,
  { id, resource, before }: Taking,
  kind: SubjectKind,
): Promise<string | null> {
  const own = before === null ? (uuid.test(id) ? id : null) : before.subject
  const place = own === null ? undefined : (await placesOf(tx, [own])).get(own)
  if (place?.kind === kind) return place.id
  const isOurs = before === null ? await isOursAlready(tx, id, resource.resourceType) : before.isDerived
  if (!isOurs) return null
  const { resourceType } = resource
  throw clinicalFailure(
    'resource-derived',
    `This ${resourceType} is kept by another part of the server. ${insteadOf(resourceType)}`,
  )
}

/** A device or site whose view is on its way. */
async function isOursAlready(tx: TenantTx, id: string, type: string): Promise<boolean> {
  if (!uuid.test(id)) return false
  if (type === 'Device') return (await deviceIdsAmong(tx, [id])).length > 0
  return type === 'Location' && (await siteSources(tx)).some((site) => site.id === id)
}

const isTaggedAsset = ({ meta }: Resource): boolean =>
  Array.isArray(meta?.tag) &&
  (meta.tag as readonly { system?: unknown; code?: unknown }[]).some(
    ({ system, code }) => system === systems.subjectKind && code === 'asset',
  )

/** Rooms point into their own bodies; here it is the resource. */
async function saying<T>(type: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Failure) || error.pointer === undefined) throw error
    const place = /^\/body\/resource\/(\w+)\/(\d+)$/.exec(error.pointer)
    const pointer = place === null ? type : `${type}.${place[1]}[${place[2]}]`
    throw new Failure(error.code, error.kind, error.message, { pointer })
  }
}
