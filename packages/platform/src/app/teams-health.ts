/** Patients whom nobody sees by their care team any more: a team empties by and by, as people leave, and nobody notices. */
import type { SystemHealth } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'

/** Counts only: one installation may hold several organisations. */
export async function teamTroubles(engine: Engine): Promise<SystemHealth['troubles']> {
  const { rows } = await engine.db.pool.query<{ tenant: string; users: string[] }>(
    `select tenant_id as tenant, array_agg(user_id::text) as users from auth.member
      where ended_at is null and roles && array['nurse', 'physician'] group by tenant_id`,
  )
  const treating = new Map(rows.map(({ tenant, users }) => [tenant, users]))
  let patients = 0
  for (const tenant of await engine.db.tenants())
    patients += await leftAlone(engine, tenant, treating.get(tenant) ?? [])
  if (patients === 0) return []
  return [
    {
      what: `${patients === 1 ? 'One patient is' : `${patients} patients are`} in a care team in which nobody works who treats.`,
      mend: 'Put a nurse or a physician into each care team that has patients, at Care teams.',
    },
  ]
}

const leftAlone = (engine: Engine, tenant: string, treating: readonly string[]): Promise<number> =>
  engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<{ patients: number }>(
      `select count(*)::int as patients from tenant.subject s
        where s.tenant_id = $1 and s.kind = 'patient' and s.erased_at is null and s.team_id is not null
          and not exists (select from tenant.care_team_member m
                           where m.tenant_id = $1 and m.team_id = s.team_id and m.user_id = any($2))`,
      [tenant, treating],
    )
    return rows[0]!.patients
  })
