/** What stands in the record under names of ours, opened for whoever derives it anew. */
import type { Resource } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import type { Clinical } from '../clinical.ts'

/** @param names `Type/id`; those that are gone or never were are absent */
export async function standingOf(
  clinical: Pick<Clinical, 'openAll' | 'ridOf'>,
  tx: TenantTx,
  names: Iterable<string>,
): Promise<ReadonlyMap<string, Resource>> {
  const rids = new Map<string, string>()
  for (const name of names) {
    const [type = '', id = ''] = name.split('/')
    rids.set(await clinical.ridOf(tx.tenant, type, id), name)
  }
  const found = new Map<string, Resource>()
  for (const [rid, { text }] of await clinical.openAll(tx, [...rids.keys()]))
    if (text !== '') found.set(rids.get(rid)!, JSON.parse(text) as Resource)
  return found
}

/** It is there, and nobody has marked it as void. */
export const isStanding = (resource: Resource | undefined): resource is Resource =>
  resource !== undefined && resource.status !== 'entered-in-error'
