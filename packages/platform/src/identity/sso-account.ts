/**
 * Whose account somebody is whom the identity provider has named, and what they are now: decided anew at each sign-in. A claim never
 * takes an account over: one that is here already is linked only when the provider has verified the e-mail and an administrator allowed it.
 */
import type { Role } from '@careloop/contract'
import type { ClientBase } from 'pg'
import type { Engine, EngineTx } from '../engine/index.ts'
import { endSessions, endUnproved, tellAccessChanged } from './access-changed.ts'
import { type ActedBy, recordAct } from './acted-by.ts'
import { demandsSecondFactor } from './second-factor.ts'
import { type Claims, displayNameOf, emailOf, isOfDomain, rolesOfGroups } from './sso-claims.ts'
import type { SsoProvider } from './sso-provider.ts'

/** `no-role`: no group of theirs gives one. `not-let-in`: everything else, told to the administrator's trail, not to them. */
export type Settled = { readonly user: string } | { readonly refused: 'no-role' | 'not-let-in' }

interface Arriving {
  readonly provider: SsoProvider
  readonly subject: string
  readonly claims: Claims
  readonly roles: readonly Role[]
  readonly by: ActedBy
}

export async function settleAccount(
  engine: Engine,
  provider: SsoProvider,
  shown: { readonly subject: string; readonly claims: Claims },
  requestId: string,
): Promise<Settled> {
  const roles = rolesOfGroups(shown.claims, provider)
  const arriving = { provider, ...shown, roles, by: { actor: 'system:identity-provider', requestId } }
  return engine.db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<Linked>(
      `select user_id, lost_groups_at, retired_at from auth.sso_identity
        where tenant_id = $1 and issuer = $2 and subject = $3 for update`,
      [provider.tenant, provider.issuer, shown.subject],
    )
    if (!isOfDomain(emailOf(shown.claims), provider)) return { refused: 'not-let-in' }
    const linked = rows[0]
    if (linked === undefined) return welcome(engine, tx, arriving, true)
    // Their account has gone to whoever was given its address: an administrator's end of it stands, so none is made for them.
    return linked.retired_at === null ? renew(engine, tx, arriving, linked) : welcome(engine, tx, arriving, false)
  })
}

interface Linked {
  readonly user_id: string
  readonly lost_groups_at: Date | null
  readonly retired_at: Date | null
}

/** Known already: the roles of today. Whose membership an administrator ended does not come back by way of a group. */
async function renew(engine: Engine, tx: EngineTx, arriving: Arriving, linked: Linked): Promise<Settled> {
  const { provider, roles, claims, by } = arriving
  const { rows } = await tx.client.query<{ roles: Role[]; ended_at: Date | null }>(
    'select roles, ended_at from auth.member where user_id = $1 and tenant_id = $2 for update',
    [linked.user_id, provider.tenant],
  )
  const member = rows[0]
  if (member === undefined) return { refused: 'not-let-in' }
  if (roles.length === 0) {
    if (member.ended_at === null) await endForGroups(engine, tx, arriving, linked.user_id)
    return { refused: 'no-role' }
  }
  if (member.ended_at !== null && linked.lost_groups_at === null) return { refused: 'not-let-in' }
  await tx.client.query(
    'update auth.member set roles = $3, display_name = $4, ended_at = null where user_id = $1 and tenant_id = $2',
    [linked.user_id, provider.tenant, roles, displayNameOf(claims)],
  )
  await tx.client.query('update auth.sso_identity set lost_groups_at = null where user_id = $1 and tenant_id = $2', [
    ...[linked.user_id, provider.tenant],
  ])
  if (member.ended_at === null && isSame(member.roles, roles)) return { user: linked.user_id }
  if (demandsSecondFactor(roles)) await endUnproved(tx, linked.user_id)
  await tellAccessChanged(tx, linked.user_id)
  await recordAct(tx, { tenant: provider.tenant, by, action: 'update', resource: 'user', id: linked.user_id })
  return { user: linked.user_id }
}

async function endForGroups(engine: Engine, tx: EngineTx, { provider, by }: Arriving, user: string): Promise<void> {
  const now = new Date(engine.clock.now())
  await tx.client.query('update auth.member set ended_at = $3 where user_id = $1 and tenant_id = $2', [
    ...[user, provider.tenant, now],
  ])
  await tx.client.query('update auth.sso_identity set lost_groups_at = $3 where user_id = $1 and tenant_id = $2', [
    ...[user, provider.tenant, now],
  ])
  await endSessions(tx, user)
  await tx.client.query('delete from auth.challenge where user_id = $1', [user])
  await recordAct(tx, { tenant: provider.tenant, by, action: 'revoke', resource: 'user', id: user })
}

/** Here for the first time, or for the first time since their account went to another. @param mayMake an account of their own */
async function welcome(engine: Engine, tx: EngineTx, arriving: Arriving, mayMake: boolean): Promise<Settled> {
  const { provider, subject, claims, roles, by } = arriving
  if (roles.length === 0) return { refused: 'no-role' }
  const email = emailOf(claims)
  const existing = email === null ? null : await userOfEmail(tx.client, email.email)
  if (
    existing !== null &&
    !(email?.isVerified && provider.linkExisting && (await isOnlyHere(tx.client, existing, provider)))
  )
    return { refused: 'not-let-in' }
  if (existing === null && !mayMake) return { refused: 'not-let-in' }
  const user = existing ?? (await makeUser(engine, tx.client, arriving, email?.isVerified ? email.email : null))
  if (existing !== null) {
    await tx.client.query('update auth.member set roles = $3 where user_id = $1 and tenant_id = $2', [
      ...[user, provider.tenant, roles],
    ])
    if (demandsSecondFactor(roles)) await endUnproved(tx, user)
    await tellAccessChanged(tx, user)
  }
  await tx.client.query(
    `insert into auth.sso_identity (tenant_id, issuer, subject, user_id, created_at) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, issuer, subject) do update set user_id = excluded.user_id, retired_at = null, lost_groups_at = null`,
    [provider.tenant, provider.issuer, subject, user, new Date(engine.clock.now())],
  )
  const action = existing === null ? 'create' : 'update'
  await recordAct(tx, { tenant: provider.tenant, by, action, resource: 'user', id: user })
  return { user }
}

async function userOfEmail(client: ClientBase, email: string): Promise<string | null> {
  const { rows } = await client.query<{ id: string }>('select id from auth.user where email = $1', [email])
  return rows[0]?.id ?? null
}

/**
 * Works here now, nowhere else, and is not somebody else at this provider already: an organisation's provider says nothing about an
 * account that other organisations rely on too.
 */
async function isOnlyHere(client: ClientBase, user: string, { tenant, issuer }: SsoProvider): Promise<boolean> {
  const { rows } = await client.query<{ is_only_here: boolean }>(
    `select exists (select from auth.member where user_id = $1 and tenant_id = $2 and ended_at is null)
        and not exists (select from auth.member where user_id = $1 and tenant_id <> $2)
        and not exists (select from auth.sso_identity where user_id = $1 and tenant_id = $2 and issuer = $3
            and retired_at is null) as is_only_here`,
    [user, tenant, issuer],
  )
  return rows[0]!.is_only_here
}

/** @param email verified, or null: what the provider only says would keep an address from whom it belongs to */
async function makeUser(engine: Engine, client: ClientBase, arriving: Arriving, email: string | null): Promise<string> {
  const { provider, claims, roles } = arriving
  const id = engine.ids.uuid()
  const name = displayNameOf(claims)
  await client.query('insert into auth.user (id, name, email, email_verified) values ($1, $2, $3, $4)', [
    ...[id, name, email ?? `${id}@sso.invalid`, email !== null],
  ])
  await client.query('insert into auth.member (user_id, tenant_id, roles, display_name) values ($1, $2, $3, $4)', [
    ...[id, provider.tenant, roles, name],
  ])
  return id
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && [...a].sort().join() === [...b].sort().join()
