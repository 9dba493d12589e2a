/** Who asks, as consent sees them: a person by their tie to this patient, a program by whom it works for. */
import type { Part2Label } from '@careloop/contract'
import type { TenantTx } from '../../engine/index.ts'
import type { Principal, StaffPrincipal } from '../../identity/index.ts'
import type { Asker } from './decide.ts'
import type { ConsentSetting } from './settings.ts'

/**
 * Null: whoever asks is tied to nobody (a device, a wall screen), or is a patient who asks about somebody else.
 * @param programs programs under Part 2 that this patient is or was in
 */
export async function askerOf(
  tx: TenantTx,
  who: Principal,
  subject: string,
  { setting, programs, now }: { setting: ConsentSetting; programs: readonly string[]; now: number },
): Promise<Asker | null> {
  if (who.kind === 'service') return { kind: 'integration', id: who.id, own: setting.ownServices.includes(who.id) }
  if (who.kind !== 'staff') return null
  const isCaregiver = who.roles.includes('caregiver')
  if (isClinician(who))
    return { kind: 'clinician', ...(setting.holdsPart2 ? await tieOf(tx, who.id, subject, programs, now) : untied) }
  if (who.roles.includes('patient') && (await isSelf(tx, who.id, subject, now))) return { kind: 'self' }
  return isCaregiver ? { kind: 'caregiver', id: who.id } : null
}

/** Whoever works here: what of patients they see at all, their role says. */
export const isClinician = ({ roles }: StaffPrincipal): boolean =>
  roles.some((role) => role !== 'patient' && role !== 'caregiver')

/** Labels that 42 CFR Part 2 gives to a record: both codes stand for it in DS4P. */
export const labelsOfPart2: readonly Part2Label[] = ['ETH', 'SUD']

type Tie = Pick<Extract<Asker, { kind: 'clinician' }>, 'programs' | 'isEmergency'>
const untied: Tie = { programs: [], isEmergency: false }

/**
 * The team of a program is who owns or backs up the patient's enrolment in it, and whoever was handed or told of a task of that
 * enrolment while it is open. Break-glass is a medical emergency (42 CFR 2.51), for all of them.
 */
async function tieOf(
  tx: TenantTx,
  user: string,
  subject: string,
  programs: readonly string[],
  now: number,
): Promise<Tie> {
  if (programs.length === 0) return untied
  const { rows } = await tx.client.query<{ program: string | null }>(
    `select program from tenant.enrolment
      where tenant_id = $1 and subject_id = $2 and program = any($4) and (owner_id = $3 or backup_id = $3)
        and (to_at is null or to_at > $5)
     union
     select e.program from tenant.sight_grant g
       join tenant.enrolment e on e.tenant_id = $1 and e.id = g.enrolment_id and e.subject_id = $2 and e.program = any($4)
      where g.tenant_id = $1 and g.subject_id = $2 and g.user_id = $3 and g.why = 'task'
        and (g.ended_at is null or g.ended_at > $5) and g.from_at <= $5 and (g.until_at is null or g.until_at > $5)
     union
     select null from tenant.sight_grant
      where tenant_id = $1 and subject_id = $2 and user_id = $3 and why = 'break-glass'
        and ended_at is null and from_at <= $5 and (until_at is null or until_at > $5)`,
    [tx.tenant, subject, user, [...programs], now],
  )
  return {
    programs: rows.flatMap(({ program }) => program ?? []),
    isEmergency: rows.some(({ program }) => program === null),
  }
}

async function isSelf(tx: TenantTx, user: string, subject: string, now: number): Promise<boolean> {
  const { rowCount } = await tx.client.query(
    `select from tenant.sight_grant
      where tenant_id = $1 and subject_id = $2 and user_id = $3 and why = 'self'
        and ended_at is null and from_at <= $4 and (until_at is null or until_at > $4)`,
    [tx.tenant, subject, user, now],
  )
  return rowCount !== 0
}
