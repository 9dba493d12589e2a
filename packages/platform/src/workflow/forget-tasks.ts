/** Open tasks about who is erased are closed: nobody can do them any more. What was done stands, under a key that is gone. */
import type { Forget } from '../subjects/index.ts'

export const forgetTasks: Forget = (tx, { tenant, subject, at, actor }) =>
  tx.asTenant(tenant, async (inner) => {
    const { rows } = await inner.client.query<{ id: string }>(
      // An outcome has to stand: empty bytes under the key that goes in this transaction.
      `update tenant.task t set status = 'completed', snoozed_until = null, completed_by = $4, completed_at = $3,
                claimed_by = coalesce(claimed_by, $4), claimed_at = coalesce(claimed_at, $3), outcome = '',
                key_id = (select s.key_id from tenant.subject s where s.tenant_id = t.tenant_id and s.id = t.subject_id),
                version = version + 1
          where tenant_id = $1 and subject_id = $2 and status <> 'completed' returning id`,
      [tenant, subject, at, actor],
    )
    const ids = rows.map((row) => row.id)
    await inner.client.query(
      `insert into tenant.task_event (task_id, what, at, actor)
         select id, 'completed', $2, $3 from unnest($1::uuid[]) as id`,
      [ids, at, actor],
    )
    await inner.client.query(
      `update tenant.notification_intent set cancelled = 'completed', cancelled_at = $3
          where tenant_id = $1 and task_id = any($2::uuid[]) and delivered_at is null and cancelled is null`,
      [tenant, ids, at],
    )
    for (const task of ids) await inner.publish({ type: 'TaskChanged', task, subject, status: 'completed' })
  })
