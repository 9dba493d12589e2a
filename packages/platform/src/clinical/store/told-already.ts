/** What Observations that stand already tell: the same said again, under whatever id, is no second reading. */
import { parseFhir, type Resource, toResource } from '@careloop/fhir'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { namesOf } from '../derive/append-readings.ts'
import type { ResourceRow } from '../schema.ts'
import { openRow, versionColumns } from './rows.ts'

export interface TellsNow {
  readonly rid: string
  readonly subject: string | null
  /** ms; the time by which the row is found. */
  readonly at: number
  readonly resource: Resource
}

/** More than these of one person at one instant are no repeat that somebody sent, but a flood. */
const maxAtOnce = 50

/**
 * @param now what is being written; what stood under these ids is the caller's to add
 * @returns names as `namesOf` gives them
 */
export async function toldAlready(engine: Engine, tx: TenantTx, now: readonly TellsNow[]): Promise<Set<string>> {
  const telling = now.filter(({ subject, resource }) => namesOf(subject, resource).length > 0)
  const names = new Set<string>()
  if (telling.length === 0) return names
  const places = new Map(telling.map(({ subject, at }) => [`${subject} ${at}`, { subject, at }]))
  const { rows } = await tx.client.query<ResourceRow>({
    name: 'careloop-clinical-told-already',
    text: `select ${versionColumns} from unnest($2::uuid[], $3::bigint[]) as e(subject, at) cross join lateral (
             select * from tenant.clinical_resource
              where tenant_id = $1 and subject_id = e.subject and type = 'Observation' and at = e.at
                and deleted_at is null and not is_derived order by at, seq limit ${maxAtOnce}) as r`,
    values: [tx.tenant, [...places.values()].map((one) => one.subject), [...places.values()].map(({ at }) => at)],
  })
  const own = new Set(now.map(({ rid }) => rid))
  for (const row of rows) {
    if (own.has(row.rid)) continue
    const { text } = await openRow(engine, tx.tenant, row)
    for (const name of namesOf(row.subject_id, toResource(parseFhir(text)))) names.add(name)
  }
  return names
}
