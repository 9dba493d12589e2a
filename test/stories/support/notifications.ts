/** Who was told of the tasks of a story, and how often: counted by SQL, in the end. */
import type { Engine } from '../../../packages/platform/src/engine/index.ts'
import type { Clinic } from './ground.ts'

export interface ToldByMail {
  readonly intent: string
  readonly delivered: boolean
  /** Notifications of the same task in the pages. */
  readonly inPages: number
  readonly attempts: number
  /** Attempts in which the mail server may have had the message. */
  readonly handed: number
  /** Attempts before the last one that do not say why there is a next one. */
  readonly unexplained: number
}

/** One for each mail that somebody was to get. */
export const toldByMail = (engine: Engine, { tenant }: Clinic): Promise<ToldByMail[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<ToldByMail>(
      `select i.id as intent, i.delivered_at is not null as delivered, i.attempts,
          (select count(*)::int from tenant.notification_intent p where p.task_id = i.task_id and p.channel = 'in-app') as "inPages",
          (select count(*)::int from tenant.delivery_attempt a where a.intent_id = i.id and a.handed_at is not null) as handed,
          (select count(*)::int from tenant.delivery_attempt a where a.intent_id = i.id and a.number < i.attempts
            and a.outcome not in ('unknown', 'interrupted', 'unreachable')) as unexplained
        from tenant.notification_intent i where i.channel = 'email'`,
    )
    return rows
  })
