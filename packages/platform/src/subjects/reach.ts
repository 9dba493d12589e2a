/** Which patients a person is attached to, read from the rows that say so: no cache, so that what is taken away is gone at once. */
import type { AnyRole } from '@careloop/contract'
import type { Engine, RowReader, TenantTx } from '../engine/index.ts'
import type { Principal, Reach, ReachReason, ServicePrincipal, SubjectReach } from '../identity/index.ts'
import { forTreatment } from './consent/consent-sight.ts'
import { readSetting } from './consent/settings.ts'

/** By what each role comes to patients. A role that is not here is attached to none, whatever rows there may be. */
const reasonsOf: Partial<Record<AnyRole, readonly ReachReason[]>> = {
  nurse: ['owner', 'task', 'break-glass'],
  physician: ['owner', 'task', 'break-glass'],
  patient: ['self'],
  caregiver: ['consent'],
}

const isClinician = (roles: readonly AnyRole[]) => roles.some((role) => role === 'nurse' || role === 'physician')

/** The principal with its reach; itself when nothing it is can be attached to patients. */
export async function withReach<P extends Principal>(engine: Engine, principal: P): Promise<P> {
  if (principal.kind === 'service') return { ...principal, reach: await readServiceReach(engine, principal) }
  if (principal.kind !== 'staff') return principal
  const { roles, id, tenant } = principal
  const reasons = new Set(roles.flatMap((role) => reasonsOf[role] ?? []))
  if (reasons.size === 0) return principal
  const now = engine.clock.now()
  const reach = await engine.db.asTenantReading(tenant, (tx) => readReach(tx, id, { roles, reasons, now }))
  return { ...principal, reach }
}

interface Asked {
  readonly roles: readonly AnyRole[]
  readonly reasons: ReadonlySet<ReachReason>
  readonly now: number
}

/** One query by index. Patients of one's own teams, and those in none, are not listed one by one: an owner may have thousands. */
async function readReach(tx: TenantTx, user: string, { roles, reasons, now }: Asked): Promise<Reach> {
  const teamless = isClinician(roles)
  const { rows } = await tx.client.query<{ team: string | null; subject: string | null; why: ReachReason | null }>(
    `with mine as (
       select team_id from tenant.care_team_member where tenant_id = $1 and user_id = $2 and $4),
     owned as (
       select subject_id from tenant.enrolment where tenant_id = $1 and owner_id = $2 and (to_at is null or to_at > $3)
       union select subject_id from tenant.enrolment where tenant_id = $1 and backup_id = $2 and (to_at is null or to_at > $3))
     select team_id as team, null::uuid as subject, null::text as why from mine
     union all
     select null, owned.subject_id, 'owner' from owned
       join tenant.subject on subject.tenant_id = $1 and subject.id = owned.subject_id
      where $4 and subject.kind = 'patient' and subject.team_id is not null and subject.team_id not in (select team_id from mine)
     union all
     select null, subject_id, why from tenant.sight_grant
      where tenant_id = $1 and user_id = $2 and (ended_at is null or ended_at > $3)
        and from_at <= $3 and (until_at is null or until_at > $3)`,
    [tx.tenant, user, now, teamless],
  )
  const subjects = new Map<string, SubjectReach & { why: Set<ReachReason> }>()
  for (const { subject, why } of rows) {
    if (subject === null || why === null || !reasons.has(why)) continue
    const known = subjects.get(subject)
    if (known) known.why.add(why)
    else subjects.set(subject, { why: new Set([why]) })
  }
  return { teams: rows.flatMap((row) => row.team ?? []), teamless, subjects }
}

/** Patients who consented to this program by name, or to all treatment; every patient when the program is the organisation's own. */
const readServiceReach = (engine: Engine, { tenant, id }: ServicePrincipal): Promise<Reach | 'every-patient'> =>
  engine.db.asTenantReading(tenant, (tx) => tx.readOne(serviceReaches, { id, now: engine.clock.now() }))

/** A program asks often and at the same time: its consents are read once for all its requests that wait. */
const serviceReaches: RowReader<{ id: string; now: number }, Reach | 'every-patient'> = async (tx, asked) => {
  const { ownServices } = await readSetting(tx)
  const found = new Map<string, Reach | 'every-patient'>()
  for (const { id, now } of asked)
    if (!found.has(id))
      found.set(id, ownServices.includes(id) ? 'every-patient' : await readConsentedReach(tx, id, now))
  return asked.map(({ id }) => found.get(id)!)
}

async function readConsentedReach(tx: TenantTx, id: string, now: number): Promise<Reach> {
  const { rows } = await tx.client.query<{ subject_id: string }>(
    `select distinct subject_id from tenant.sight_grant
      where tenant_id = $1 and user_id = any($2) and why = 'consent'
        and ended_at is null and from_at <= $3 and (until_at is null or until_at > $3)`,
    [tx.tenant, [id, forTreatment], now],
  )
  const why: ReadonlySet<ReachReason> = new Set(['consent'])
  return { teams: [], teamless: false, subjects: new Map(rows.map((row) => [row.subject_id, { why }])) }
}
