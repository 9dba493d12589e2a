/** Sight of one patient for one person, beside what care teams give: opened and ended by the rooms that know why. */
import { record } from '../audit/index.ts'
import type { TenantTx } from '../engine/index.ts'
import type { ReachReason } from '../identity/index.ts'

export type GrantReason = Exclude<ReachReason, 'owner'>

export interface SightGranting {
  readonly id: string
  readonly subject: string
  /** User id of who may see. */
  readonly user: string
  readonly why: GrantReason
  /** Id of the task, break-glass, account or consent that it comes from, and ends with. */
  readonly source: string
  /** Of a task that the person was handed or told of: they are of that program's team while it is open (42 CFR Part 2). */
  readonly enrolment?: string
  /** ms since epoch */
  readonly from: number
  /** ms since epoch; left out: until it is ended. */
  readonly until?: number
  /** As audit entries name who did it. */
  readonly actor: string
  readonly requestId?: string | undefined
}

/**
 * Lets a person see a patient, in the caller's transaction. Given again while it is open it stays the one it was, with the later end
 * and the enrolment that either names.
 * @returns id of the open grant
 */
export async function grantSight(tx: TenantTx, grant: SightGranting): Promise<string> {
  const { rows } = await tx.client.query<{ id: string; is_new: boolean }>(
    `insert into tenant.sight_grant (id, subject_id, user_id, why, source_id, from_at, until_at, enrolment_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (tenant_id, why, source_id, user_id, subject_id) where ended_at is null do update
       set until_at = case when sight_grant.until_at is null or excluded.until_at is null then null
                           else greatest(sight_grant.until_at, excluded.until_at) end,
           enrolment_id = coalesce(sight_grant.enrolment_id, excluded.enrolment_id)
     returning id, id = $1 as is_new`,
    [
      grant.id,
      grant.subject,
      grant.user,
      grant.why,
      grant.source,
      grant.from,
      grant.until ?? null,
      grant.enrolment ?? null,
    ],
  )
  const { id, is_new } = rows[0]!
  if (!is_new) return id
  const { actor, requestId, subject, user } = grant
  await record(tx, { actor, requestId, action: 'create', resource: 'sight-grant', id, subject })
  await tx.publish({ type: 'SightChanged', user })
  return id
}

export interface SightEnding {
  readonly why: GrantReason
  readonly source: string
  /** Only this person's; left out: everybody's of this source. */
  readonly user?: string
  /** Only of this patient; left out: of every patient of this source. */
  readonly subject?: string
  /** ms since epoch; what lies ahead ends then. */
  readonly at: number
  readonly actor: string
  readonly requestId?: string | undefined
}

/** Ends what came from one source. Ending what is ended does nothing. @returns how many ended */
export async function endSight(tx: TenantTx, ending: SightEnding): Promise<number> {
  const { why, source, user, subject, at, actor, requestId } = ending
  const { rows } = await tx.client.query<{ id: string; user_id: string; subject_id: string }>(
    `update tenant.sight_grant set ended_at = $4
      where tenant_id = $1 and why = $2 and source_id = $3 and ended_at is null
        and ($5::text is null or user_id = $5) and ($6::uuid is null or subject_id = $6)
      returning id, user_id, subject_id`,
    [tx.tenant, why, source, at, user ?? null, subject ?? null],
  )
  for (const row of rows) {
    await record(tx, {
      actor,
      requestId,
      action: 'revoke',
      resource: 'sight-grant',
      id: row.id,
      subject: row.subject_id,
    })
    await tx.publish({ type: 'SightChanged', user: row.user_id })
  }
  return rows.length
}

/**
 * Those of these people who see the patient by nothing that stays: no team of theirs, and the patient is in one.
 * @param insideToo all of them, when it is a patient
 */
export async function outsideTeam(
  tx: TenantTx,
  subject: string,
  users: readonly string[],
  insideToo = false,
): Promise<string[]> {
  const { rows } = await tx.client.query<{ user: string }>(
    `select u.id as user from unnest($3::text[]) as u (id)
       join tenant.subject s on s.tenant_id = $1 and s.id = $2 and s.kind = 'patient'
      where $4 or (s.team_id is not null and not exists (select from tenant.care_team_member m
                         where m.tenant_id = $1 and m.team_id = s.team_id and m.user_id = u.id))`,
    [tx.tenant, subject, users, insideToo],
  )
  return rows.map((row) => row.user)
}
