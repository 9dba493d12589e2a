/**
 * The first administrator. While nobody is a member of anything, a start prints one link with a one-time token; who opens it
 * makes the organisation and its administrator. The token stands behind `#`, where browsers keep it: no log ever sees it.
 */
import type { ClientBase } from 'pg'
import type { Engine } from '../engine/index.ts'
import { recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { assertPassword, hashPassword } from './password.ts'
import { sha256 } from './service-tokens.ts'
import { insertUser } from './staff.ts'

/** A day: who starts a server opens its link. Another start makes another. */
const setupMs = 24 * 3600_000

export interface FirstAdministrator {
  readonly token: string
  readonly tenantName: string
  readonly email: string
  readonly displayName: string
  readonly password: string
  /** In a small clinic whoever sets up treats as well: administrators alone see no patient. */
  readonly alsoWorksAs?: 'nurse' | 'physician' | undefined
}

/** A fresh one-time token that replaces any before; null when somebody is a member already. */
export async function offerSetup(engine: Engine): Promise<string | null> {
  const token = engine.ids.token('clsetup')
  const { rowCount } = await engine.db.pool.query(
    `insert into auth.setup (sha256, expires_at) select $1, $2 where not exists (select from auth.member)
     on conflict (only_one) do update set sha256 = excluded.sha256, expires_at = excluded.expires_at`,
    [sha256(token), new Date(engine.clock.now() + setupMs)],
  )
  return rowCount === 1 ? token : null
}

/** @throws Failure `setup-refused` (unknown, used or expired token, or somebody is a member already), `password-weak` */
export async function setUp(engine: Engine, first: FirstAdministrator): Promise<{ tenant: string; user: string }> {
  assertPassword(first.password, [first.email, first.displayName, first.tenantName])
  const hash = await hashPassword(first.password)
  return engine.db.asEngine(async (tx) => {
    const { client } = tx
    // Deleting takes the row's lock: of two that come at once with the same token one finds nothing.
    const used = await client.query('delete from auth.setup where sha256 = $1 and expires_at > $2', [
      sha256(first.token),
      new Date(engine.clock.now()),
    ])
    const members = await client.query('select from auth.member limit 1')
    if (used.rowCount !== 1 || members.rowCount !== 0)
      throw fail(
        'setup-refused',
        'This link was used or has expired. Restart Careloop for a new one, or ask an administrator.',
        {
          pointer: '/body/token',
        },
      )
    const roles = ['administrator', ...(first.alsoWorksAs === undefined ? [] : [first.alsoWorksAs])] as const
    const tenant = await tenantNamed(engine, client, first.tenantName)
    const user = await insertUser(engine, client, { ...first, tenant, roles }, hash)
    const by = { actor: `staff:${user}` }
    await recordAct(tx, { tenant, by, action: 'create', resource: 'tenant', id: tenant })
    await recordAct(tx, { tenant, by, action: 'create', resource: 'user', id: user })
    return { tenant, user }
  })
}

async function tenantNamed(engine: Engine, client: ClientBase, name: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into engine.tenant (id, name) values ($1, $2) on conflict (name) do update set name = excluded.name returning id`,
    [engine.ids.uuid(), name],
  )
  return rows[0]!.id
}
