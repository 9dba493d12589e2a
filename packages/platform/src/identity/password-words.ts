/** What a guesser would try first for a person: their name, their address, their organisation. This service is added by the rules. */
import type { Engine } from '../engine/index.ts'

export async function wordsAbout(engine: Engine, tenant: string, user: string): Promise<string[]> {
  const { rows } = await engine.db.pool.query<{ email: string; name: string; display_name: string; tenant: string }>(
    `select u.email, u.name, m.display_name, t.name as tenant
       from auth.user u join auth.member m on m.user_id = u.id join engine.tenant t on t.id = m.tenant_id
      where u.id = $1 and m.tenant_id = $2`,
    [user, tenant],
  )
  return rows.flatMap(({ email, name, display_name, tenant: place }) => [email, name, display_name, place])
}
