/** Subjects that are written to: held until the end, with their keys and with what decides who sees them. */
import type { SubjectKind } from '@careloop/contract'
import type { DataKey, TenantTx } from '../../engine/index.ts'
import { type Sight, sees } from '../../subjects/index.ts'
import type { Ground } from './ground.ts'

export interface HeldSubject {
  readonly id: string
  readonly kind: SubjectKind
  readonly team: string | null
  readonly key: DataKey
}

/** Those that live. Who is being erased has nothing new written; who is written to waits with being erased. */
export async function holdSubjects(
  { engine }: Pick<Ground, 'engine'>,
  tx: TenantTx,
  subjects: readonly (string | null)[],
): Promise<Map<string, HeldSubject>> {
  const ids = [...new Set(subjects.filter((id) => id !== null))]
  const held = new Map<string, HeldSubject>()
  if (ids.length === 0) return held
  const { rows } = await tx.client.query<{ id: string; kind: SubjectKind; team: string | null; key_id: string }>({
    name: 'careloop-clinical-hold-subjects',
    text: `select id, kind, team_id as team, key_id from tenant.subject
      where tenant_id = $1 and id = any($2::uuid[]) and erased_at is null order by id for share`,
    values: [tx.tenant, ids],
  })
  for (const { id, kind, team, key_id } of rows) held.set(id, { id, kind, team, key: await engine.keys.key(key_id) })
  return held
}

export const seesSubject = (sight: Sight | undefined, { id, kind, team }: HeldSubject): boolean =>
  sees(sight, { id, kind, team })
