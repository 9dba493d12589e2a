/** Care teams: the staff who look after a subject. Members are ids of users, as identity gives them. */
import type { CareTeamView, NewCareTeam } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { audited, type By } from './by.ts'
import { subjectFailure } from './errors.ts'
import type { SubjectsTables } from './schema.ts'
import { assertSite } from './sites.ts'
import { assertStaff, type StaffOf } from './staff.ts'

/** @throws Failure `care-team-name-taken`, `site-not-found`, `staff-not-found` */
export async function createCareTeam(
  engine: Engine,
  staff: StaffOf,
  by: By,
  wanted: NewCareTeam,
): Promise<CareTeamView> {
  const id = engine.ids.uuid()
  const members = [...new Set(wanted.members)]
  await assertStaff(staff, by.tenant, members, '/body/members')
  await engine.db.asTenant(by.tenant, async (tx) => {
    const tables = tx.tables<SubjectsTables>()
    if (wanted.site !== undefined) await assertSite(tx, wanted.site, '/body/site')
    const made = await tables
      .insertInto('care_team')
      .values({ id, name: wanted.name, site_id: wanted.site ?? null, created_at: engine.clock.now() })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'name']).doNothing())
      .executeTakeFirst()
    if (made.numInsertedOrUpdatedRows !== 1n)
      throw subjectFailure('care-team-name-taken', 'A care team has this name already. Choose another name.', {
        pointer: '/body/name',
      })
    await writeMembers(tx, id, members)
    await tx.publish({ type: 'CareTeamChanged', team: id })
    await audited(tx, by, 'create', 'care-team', { id, purpose: 'HOPERAT' })
  })
  return { id, name: wanted.name, site: wanted.site ?? null, members }
}

/**
 * Puts the whole membership in place of what it was.
 * @throws Failure `care-team-not-found`, `care-team-has-patients`, `staff-not-found`
 */
export async function setCareTeamMembers(
  engine: Engine,
  staff: StaffOf,
  by: By,
  id: string,
  wanted: { readonly members: readonly string[]; readonly letGo: boolean },
): Promise<CareTeamView> {
  const members = [...new Set(wanted.members)]
  await assertStaff(staff, by.tenant, members, '/body/members')
  return engine.db.asTenant(by.tenant, async (tx) => {
    const tables = tx.tables<SubjectsTables>()
    const team = await tables.selectFrom('care_team').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
    if (!team)
      throw subjectFailure('care-team-not-found', 'No care team has this id. List the teams.', {
        pointer: '/params/id',
      })
    if (members.length === 0 && !wanted.letGo) await assertNoPatients(tx, id)
    await tables.deleteFrom('care_team_member').where('team_id', '=', id).execute()
    await writeMembers(tx, id, members)
    await tables.updateTable('care_team').set({ changed_at: engine.clock.now() }).where('id', '=', id).execute()
    await tx.publish({ type: 'CareTeamChanged', team: id })
    await audited(tx, by, 'update', 'care-team', { id, purpose: 'HOPERAT' })
    return { id, name: team.name, site: team.site_id, members }
  })
}

/** All care teams of an organisation, by name. */
export const listCareTeams = (engine: Engine, tenant: string): Promise<CareTeamView[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const tables = tx.tables<SubjectsTables>()
    const teams = await tables.selectFrom('care_team').selectAll().orderBy('name').execute()
    const members = await tables.selectFrom('care_team_member').selectAll().orderBy('user_id').execute()
    return teams.map((team) => ({
      id: team.id,
      name: team.name,
      site: team.site_id,
      members: members.filter((member) => member.team_id === team.id).map((member) => member.user_id),
    }))
  })

/** Patients of a team without members are seen by owners of their enrolments only: that must be meant. */
async function assertNoPatients(tx: TenantTx, team: string): Promise<void> {
  const { rows } = await tx.client.query<{ patients: number }>(
    `select count(*)::int as patients from tenant.subject
      where tenant_id = $1 and team_id = $2 and kind = 'patient' and erased_at is null`,
    [tx.tenant, team],
  )
  const patients = rows[0]!.patients
  if (patients === 0) return
  throw subjectFailure(
    'care-team-has-patients',
    `${patients === 1 ? 'One patient is' : `${patients} patients are`} in this team, and nobody of it would see them any more. Give them to another team first, or confirm that you leave them.`,
    { pointer: '/body/members' },
  )
}

async function writeMembers(tx: TenantTx, team: string, members: readonly string[]): Promise<void> {
  if (members.length === 0) return
  await tx
    .tables<SubjectsTables>()
    .insertInto('care_team_member')
    .values(members.map((user) => ({ team_id: team, user_id: user })))
    .execute()
}
