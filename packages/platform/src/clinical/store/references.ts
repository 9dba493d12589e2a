/** Whose a resource is: the elements that say so, and the subjects behind what they point to. */
import type { Resource } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import { itself, servedTypes } from '../types.ts'
import type { Ground } from './ground.ts'

export interface Target {
  readonly type: string
  readonly id: string
}

/** A reference of a resource to what it is about. */
export interface Pointing extends Target {
  /** FHIRPath of the reference. */
  readonly expression: string
}

const shape = /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/

/** A literal reference to one of our resources; null for a logical, a contained and a foreign one. */
export function targetOf(reference: unknown, base?: string): Target | null {
  if (typeof reference !== 'string') return null
  const local = base !== undefined && reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference
  const found = shape.exec(local)
  return found === null ? null : { type: found[1]!, id: found[2]! }
}

/** What it says it is of: literal references only. */
export function pointingsOf(resource: Resource, base?: string): readonly Pointing[] {
  const { resourceType: type } = resource
  return (servedTypes[type]?.subject ?? []).flatMap((element) => {
    if (element === itself) return []
    const value = resource[element]
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    return list.flatMap((each, at) => {
      const target = targetOf((each as { reference?: unknown } | null | undefined)?.reference, base)
      const expression = Array.isArray(value) ? `${type}.${element}[${at}]` : `${type}.${element}`
      return target === null ? [] : [{ ...target, expression }]
    })
  })
}

export const nameOf = ({ type, id }: Target): string => `${type}/${id}`

/** Things that are subjects of ours also before a view of them stands. */
const kinds: Readonly<Record<string, string>> = { Patient: 'patient', Location: 'location', Device: 'asset' }
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * The subject behind each target that is there: null for one that is of nobody (an Organization); absent where there is none, or
 * where it is gone.
 */
export async function subjectsBehind(
  { blinds }: Pick<Ground, 'blinds'>,
  tx: TenantTx,
  targets: readonly Target[],
): Promise<Map<string, string | null>> {
  const found = new Map<string, string | null>()
  if (targets.length === 0) return found
  const blind = await blinds(tx.tenant)
  // A Bundle names its patient in each entry: an HMAC for each would be the most of it.
  const named = new Map(targets.map((target) => [nameOf(target), target]))
  const byRid = new Map([...named.values()].map((target) => [blind.rid(target.type, target.id), target]))
  const { rows } = await tx.client.query<{ rid: string; subject_id: string | null }>({
    name: 'careloop-clinical-subjects',
    text: `select rid, subject_id from tenant.clinical_resource
      where tenant_id = $1 and rid = any($2::uuid[]) and deleted_at is null`,
    values: [tx.tenant, [...byRid.keys()]],
  })
  for (const { rid, subject_id } of rows) found.set(nameOf(byRid.get(rid)!), subject_id)
  const missing = [...byRid.values()].filter(
    (target) => !found.has(nameOf(target)) && target.type in kinds && uuid.test(target.id),
  )
  if (missing.length === 0) return found
  const { rows: subjects } = await tx.client.query<{ id: string; kind: string }>(
    'select id, kind from tenant.subject where tenant_id = $1 and id = any($2::uuid[]) and erased_at is null',
    [tx.tenant, missing.map(({ id }) => id)],
  )
  const kindOf = new Map(subjects.map(({ id, kind }) => [id, kind]))
  for (const target of missing) if (kindOf.get(target.id) === kinds[target.type]) found.set(nameOf(target), target.id)
  return found
}
