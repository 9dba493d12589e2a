/** Staff: a person (auth.user, with a password) and what they are in an organisation (auth.member). */
import { randomBytes } from 'node:crypto'
import type { Role } from '@careloop/contract'
import type { ClientBase } from 'pg'
import type { Engine } from '../engine/index.ts'
import { endAppGrants, endSessions, endUnproved, tellAccessChanged } from './access-changed.ts'
import { type ActedBy, byConsole, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { assertPassword, hashPassword } from './password.ts'
import { demandsSecondFactor } from './second-factor.ts'

export interface NewUser {
  readonly tenant: string
  readonly email: string
  readonly displayName: string
  readonly roles: readonly Role[]
  /** Left out: one is made and returned, to be shown once. */
  readonly password?: string
  /** Somebody else knows it: the person replaces it before anything else. Default: when it was made here. */
  readonly isHandedOver?: boolean
}

export interface CreatedUser {
  readonly id: string
  /** Only when it was made here. */
  readonly password?: string
}

export interface Member {
  readonly id: string
  readonly email: string
  readonly displayName: string
  readonly roles: readonly Role[]
  readonly createdAt: number
  readonly endedAt: number | null
  readonly hasSecondFactor: boolean
}

/** @throws Failure `user-exists`, `password-weak` */
export async function createUser(engine: Engine, user: NewUser, by: ActedBy = byConsole): Promise<CreatedUser> {
  const made = user.password === undefined ? randomBytes(12).toString('base64url') : undefined
  const password = user.password ?? made!
  if (made === undefined) assertPassword(password, [user.email, user.displayName])
  const hash = await hashPassword(password) // outside the transaction: it takes a while by design
  return engine.db.asEngine(async (tx) => {
    const id = await insertUser(engine, tx.client, user, hash)
    if (user.isHandedOver ?? made !== undefined) await markHandedOver(engine, tx.client, id)
    await tellAccessChanged(tx, id)
    await recordAct(tx, { tenant: user.tenant, by, action: 'create', resource: 'user', id })
    return made === undefined ? { id } : { id, password: made }
  })
}

/** Inside a transaction. @throws Failure `user-exists` */
export async function insertUser(engine: Engine, client: ClientBase, user: NewUser, hash: string): Promise<string> {
  const id = engine.ids.uuid()
  const added = await client.query(
    'insert into auth.user (id, name, email) values ($1, $2, $3) on conflict (email) do nothing',
    [id, user.displayName, user.email.trim().toLowerCase()],
  )
  if (added.rowCount !== 1) return reviveUser(client, user, hash)
  await client.query(
    `insert into auth.account (id, account_id, provider_id, user_id, password) values ($1, $2::uuid, 'credential', $2, $3)`,
    [engine.ids.uuid(), id, hash],
  )
  await client.query('insert into auth.member (user_id, tenant_id, roles, display_name) values ($1, $2, $3, $4)', [
    id,
    user.tenant,
    [...new Set(user.roles)],
    user.displayName,
  ])
  return id
}

/**
 * Who left and comes back goes on under their id, with the roles and the password of now. Only who works nowhere else: the account,
 * with its password, is one for all organisations. An address may have been given to another meanwhile: nothing by which the one
 * before came in goes along. @throws Failure `user-exists`
 */
async function reviveUser(client: ClientBase, user: NewUser, hash: string): Promise<string> {
  const email = user.email.trim().toLowerCase()
  const { rows } = await client.query<{ id: string }>(
    `update auth.member m set ended_at = null, roles = $3, display_name = $4
       from auth.user u
      where u.email = $1 and m.user_id = u.id and m.tenant_id = $2 and m.ended_at is not null
        and not exists (select from auth.member other where other.user_id = u.id and other.ended_at is null)
      returning u.id`,
    [email, user.tenant, [...new Set(user.roles)], user.displayName],
  )
  const id = rows[0]?.id
  if (id === undefined)
    throw fail('user-exists', 'This address has an account already. Use another, or change that one.', {
      pointer: '/body/email',
    })
  await client.query('update auth.user set name = $2 where id = $1', [id, user.displayName])
  await replacePassword(client, id, hash)
  for (const table of ['passkey', 'second_factor', 'backup_code', 'known_address'] as const)
    await client.query(`delete from auth.${table} where user_id = $1`, [id])
  await forgetLostGroups(client, user.tenant, id)
  // Kept, so that this person of the provider stays out by it, and is not taken for somebody new.
  await client.query('update auth.sso_identity set retired_at = now() where user_id = $1 and retired_at is null', [id])
  return id
}

const markHandedOver = (engine: Engine, client: ClientBase, user: string) =>
  client.query(`update auth.account set handed_over_at = $2 where user_id = $1 and provider_id = 'credential'`, [
    ...[user, new Date(engine.clock.now())],
  ])

/** Whether somebody else made the password of this person, or knows it. */
export async function isPasswordHandedOver(engine: Engine, user: string): Promise<boolean> {
  const { rowCount } = await engine.db.pool.query(
    'select from auth.account where user_id = $1 and handed_over_at is not null',
    [user],
  )
  return rowCount !== 0
}

/** The new one is the person's own, unless it is said that it was handed over. */
async function replacePassword(client: ClientBase, user: string, hash: string): Promise<void> {
  // Who came by their organisation's identity provider has none yet.
  await client.query(
    `insert into auth.account (id, account_id, provider_id, user_id, password)
     values (gen_random_uuid(), $1::uuid, 'credential', $1, $2)
     on conflict (provider_id, account_id) do update set password = excluded.password, handed_over_at = null`,
    [user, hash],
  )
  await client.query('delete from auth.session where user_id = $1', [user])
  await endAppGrants({ client }, user)
  await client.query('delete from auth.challenge where user_id = $1', [user])
}

/** A new password for a member, which they replace at their next sign-in; every session of theirs ends. @throws Failure `user-not-found` */
export async function renewPassword(
  engine: Engine,
  tenant: string,
  email: string,
  by: ActedBy = byConsole,
): Promise<{ id: string; password: string }> {
  const password = randomBytes(12).toString('base64url')
  const hash = await hashPassword(password)
  return engine.db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<{ id: string }>(
      `select u.id from auth.user u join auth.member m on m.user_id = u.id
        where u.email = $1 and m.tenant_id = $2 and m.ended_at is null`,
      [email.trim().toLowerCase(), tenant],
    )
    const id = rows[0]?.id
    if (id === undefined) throw fail('user-not-found', 'Nobody with this address works here. See the list of staff.')
    await replacePassword(tx.client, id, hash)
    await markHandedOver(engine, tx.client, id)
    await tellAccessChanged(tx, id)
    await recordAct(tx, { tenant, by, action: 'update', resource: 'user', id })
    return { id, password }
  })
}

/** What somebody is where they work, as `authenticate` will find them; empty when they work nowhere. */
export async function rolesOf(engine: Engine, user: string): Promise<readonly Role[]> {
  const { rows } = await engine.db.pool.query<{ roles: Role[] }>(
    `select roles from auth.member where user_id = $1 and ended_at is null order by created_at, tenant_id limit 1`,
    [user],
  )
  return rows[0]?.roles ?? []
}

/** Where somebody works, as `authenticate` will find them; null when nowhere. */
export async function tenantOfUser(engine: Engine, user: string): Promise<string | null> {
  const { rows } = await engine.db.pool.query<{ tenant_id: string }>(
    `select tenant_id from auth.member where user_id = $1 and ended_at is null order by created_at, tenant_id limit 1`,
    [user],
  )
  return rows[0]?.tenant_id ?? null
}

/** Everybody who works or worked in an organisation, by name; patients and caregivers are nobody's colleagues. */
export async function listMembers(engine: Engine, tenant: string): Promise<Member[]> {
  const { rows } = await engine.db.pool.query<MemberRow>(
    `select u.id, u.email, m.display_name, m.roles, m.created_at, m.ended_at,
            (f.confirmed_at is not null or exists (select from auth.passkey p where p.user_id = u.id))
              as has_second_factor
       from auth.member m join auth.user u on u.id = m.user_id
       left join auth.second_factor f on f.user_id = u.id
      where m.tenant_id = $1 and not m.roles && array['patient', 'caregiver'] order by m.display_name, u.id`,
    [tenant],
  )
  return rows.map((row) => ({
    id: row.id,
    email: row.email,
    displayName: row.display_name,
    roles: row.roles,
    createdAt: row.created_at.getTime(),
    endedAt: row.ended_at?.getTime() ?? null,
    hasSecondFactor: row.has_second_factor,
  }))
}

/**
 * What a member may from the next request on. Who comes to need a second factor and has none signs in anew: it is set up by who has
 * just given the password, never by who finds a desk open. @throws Failure `user-not-found`
 */
export async function setRoles(
  engine: Engine,
  tenant: string,
  user: string,
  roles: readonly Role[],
  by: ActedBy = byConsole,
): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const { rowCount } = await tx.client.query(
      'update auth.member set roles = $3 where tenant_id = $1 and user_id = $2 and ended_at is null',
      [tenant, user, [...new Set(roles)]],
    )
    if (rowCount !== 1) throw fail('user-not-found', 'Nobody with this id works here. Read the list again.')
    if (demandsSecondFactor(roles)) await endUnproved(tx, user)
    await tellAccessChanged(tx, user)
    await recordAct(tx, { tenant, by, action: 'update', resource: 'user', id: user })
  })
}

/** Ends a membership and every session that used it. @throws Failure `user-not-found` */
export async function endMembership(
  engine: Engine,
  tenant: string,
  user: string,
  by: ActedBy = byConsole,
): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const ended = await tx.client.query(
      'update auth.member set ended_at = now() where tenant_id = $1 and user_id = $2 and ended_at is null',
      [tenant, user],
    )
    if (ended.rowCount !== 1) throw fail('user-not-found', 'Nobody with this id works here. Read the list again.')
    await endSessions(tx, user)
    await tx.client.query('delete from auth.challenge where user_id = $1', [user])
    await forgetLostGroups(tx.client, tenant, user)
    await recordAct(tx, { tenant, by, action: 'revoke', resource: 'user', id: user })
  })
}

/** Only what a group ended comes back by a group. */
const forgetLostGroups = (client: ClientBase, tenant: string, user: string) =>
  client.query('update auth.sso_identity set lost_groups_at = null where tenant_id = $1 and user_id = $2', [
    ...[tenant, user],
  ])

interface MemberRow {
  readonly id: string
  readonly email: string
  readonly display_name: string
  readonly roles: Role[]
  readonly created_at: Date
  readonly ended_at: Date | null
  readonly has_second_factor: boolean
}
