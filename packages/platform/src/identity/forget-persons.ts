/**
 * When a patient is erased, the accounts that were made at their chart end and nothing of them can be read or signed in with: the
 * patient's own, whose sealed values go with the chart's key, and those of their caregivers, each with its own key.
 */
import type { Engine, EngineTx } from '../engine/index.ts'
import { endSessions } from './access-changed.ts'
import { recordAct } from './acted-by.ts'

interface Erased {
  readonly tenant: string
  readonly subject: string
  readonly at: number
  readonly actor: string
  readonly requestId?: string | undefined
}

/** Again and again the same: a restore does it anew. */
export const forgetPersons =
  (engine: Engine) =>
  async (tx: EngineTx, { tenant, subject, at, actor, requestId }: Erased): Promise<void> => {
    const { rows } = await tx.client.query<{ id: string; user_id: string | null }>(
      `update auth.person_account set ended_at = coalesce(ended_at, $3), code_sha256 = null, login_hmac = null, login = null,
              name = null, relationship = null
        where tenant_id = $1 and subject_id = $2 returning id, user_id`,
      [tenant, subject, new Date(at)],
    )
    // What apps were allowed at this patient, by whomever, ends with the patient; codes and tokens go with it.
    for (const table of ['app_grant', 'app_launch'] as const)
      await tx.client.query(`delete from auth.${table} where tenant_id = $1 and patient_id = $2`, [tenant, subject])
    for (const { id, user_id } of rows) {
      await destroyKeys(engine, tx, id)
      if (user_id !== null) await closeAccount(tx, user_id, at)
      const by = requestId === undefined ? { actor } : { actor, requestId }
      await recordAct(tx, { tenant, by, action: 'delete', resource: 'person-account', id, subject })
    }
  }

/** A caregiver's; a patient's account has none of its own. */
async function destroyKeys(engine: Engine, tx: EngineTx, account: string): Promise<void> {
  const { rows } = await tx.client.query<{ id: string }>(
    `select id from engine.data_key where purpose = 'auth' and owner = $1 and destroyed_at is null`,
    [`person ${account}`],
  )
  for (const { id } of rows) await engine.keys.destroy(tx, id)
}

async function closeAccount(tx: EngineTx, user: string, at: number): Promise<void> {
  await tx.client.query('update auth.member set ended_at = coalesce(ended_at, $2) where user_id = $1', [
    ...[user, new Date(at)],
  ])
  await endSessions(tx, user)
  for (const table of ['account', 'challenge', 'known_address', 'second_factor', 'backup_code', 'passkey'] as const)
    await tx.client.query(`delete from auth.${table} where user_id = $1`, [user])
}
