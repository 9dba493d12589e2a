/**
 * Invitations: a one-time link of 72 hours by which somebody makes their own account, so that no password passes through other hands.
 * The database keeps the SHA-256 of its token; the token itself stays, sealed, only until the mail server has taken it.
 */
import type { Role } from '@careloop/contract'
import type { DataKey, Engine, EngineTx } from '../engine/index.ts'
import { type ActedBy, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { assertPassword, hashPassword } from './password.ts'
import { demandsSecondFactor } from './second-factor.ts'
import { sha256 } from './service-tokens.ts'
import type { Door } from './sign-in.ts'
import { insertUser } from './staff.ts'
import { tenantName } from './tenants.ts'

export const invitationMs = 72 * 3_600_000
/** Fires when the link is to be sent by mail; its ids are `tenant` and `invitation`. Integrations works on it. */
export const invitationTimer = 'invitation-mail'

export interface MadeInvitation {
  readonly id: string
  /** Shown once; no log may see it. */
  readonly token: string
  readonly expiresAt: number
  readonly isMailed: boolean
}

export interface Invitation {
  readonly id: string
  readonly email: string
  readonly roles: readonly Role[]
  readonly createdAt: number
  readonly expiresAt: number
  readonly state: 'waiting' | 'expired' | 'accepted' | 'revoked'
  readonly sentAt: number | null
}

/** What the mail says. Never log it. */
export interface InvitationMail {
  readonly email: string
  readonly organisation: string
  readonly token: string
  readonly expiresAt: number
}

export interface Invitations {
  /** One that waits already for this address is over by it. @throws Failure `user-exists` */
  invite(tenant: string, wanted: { email: string; roles: readonly Role[] }, by: ActedBy): Promise<MadeInvitation>
  /** Another link for the same; the one before opens nothing any more. @throws Failure `invitation-not-found` */
  resend(tenant: string, id: string, by: ActedBy): Promise<MadeInvitation>
  /** @throws Failure `invitation-not-found` */
  revoke(tenant: string, id: string, by: ActedBy): Promise<void>
  /** Newest first. */
  list(tenant: string): Promise<Invitation[]>
  /** @throws Failure `invitation-over`, `sign-in-throttled` */
  look(
    token: string,
    ip: string,
  ): Promise<{ organisation: string; email: string; roles: readonly Role[]; needsSecondFactor: boolean }>
  /** @throws Failure `invitation-over`, `password-weak`, `user-exists`, `sign-in-throttled` */
  accept(
    shown: { token: string; displayName: string; password: string },
    peer: { ip: string; requestId: string },
  ): Promise<{ email: string }>
  /** What is to be sent; null when it is over, or sent. */
  mailOf(tenant: string, id: string): Promise<InvitationMail | null>
  /** The mail server has it: the token is not kept any longer. */
  markSent(tx: EngineTx, id: string): Promise<void>
}

/** @param isMailed whether a mail server sends the links too */
export async function makeInvitations(door: Door, isMailed: boolean): Promise<Invitations> {
  const { engine } = door
  const key = await engine.keys.keyFor('auth', 'invitation')
  return {
    invite: (tenant, wanted, by) => invite(engine, key, isMailed, { tenant, ...wanted, by }),
    resend: (tenant, id, by) => resend(engine, key, isMailed, { tenant, id, by }),
    revoke: (tenant, id, by) =>
      engine.db.asEngine(async (tx) => {
        await takeBack(engine, tx, tenant, id)
        await recordAct(tx, { tenant, by, action: 'revoke', resource: 'invitation', id })
      }),
    list: (tenant) => listInvitations(engine, tenant),
    async look(token, ip) {
      const row = await waiting(door, token, ip)
      return {
        ...{ organisation: await tenantName(engine, row.tenant_id), email: row.email, roles: row.roles },
        needsSecondFactor: demandsSecondFactor(row.roles),
      }
    },
    accept: (shown, peer) => accept(door, shown, peer),
    mailOf: (tenant, id) => mailOf(engine, key, tenant, id),
    async markSent({ client }, id) {
      await client.query('update auth.invitation set sent_at = $2, token = null where id = $1', [
        ...[id, new Date(engine.clock.now())],
      ])
    },
  }
}

interface Inviting {
  readonly tenant: string
  readonly email: string
  readonly roles: readonly Role[]
  readonly by: ActedBy
}

async function invite(engine: Engine, key: DataKey, isMailed: boolean, wanted: Inviting): Promise<MadeInvitation> {
  const { tenant, roles, by } = wanted
  const email = wanted.email.trim().toLowerCase()
  return engine.db.asEngine(async (tx) => {
    const here = await tx.client.query(
      `select from auth.user u join auth.member m on m.user_id = u.id
        where u.email = $1 and m.tenant_id = $2 and m.ended_at is null`,
      [email, tenant],
    )
    if (here.rowCount !== 0)
      throw fail('user-exists', 'Somebody with this address works here already. Change their roles instead.', {
        pointer: '/body/email',
      })
    await tx.client.query(
      `update auth.invitation set revoked_at = $3, token = null
        where tenant_id = $1 and email = $2 and accepted_at is null and revoked_at is null`,
      [tenant, email, new Date(engine.clock.now())],
    )
    const made = await write(engine, key, isMailed, tx, { ...wanted, email, roles: [...new Set(roles)] })
    await recordAct(tx, { tenant, by, action: 'create', resource: 'invitation', id: made.id })
    return made
  })
}

async function write(
  engine: Engine,
  key: DataKey,
  isMailed: boolean,
  tx: EngineTx,
  { tenant, email, roles, by }: Inviting,
): Promise<MadeInvitation> {
  const [id, token, now] = [engine.ids.uuid(), engine.ids.token('clinv'), engine.clock.now()]
  const expiresAt = now + invitationMs
  await tx.client.query(
    `insert into auth.invitation (id, tenant_id, email, roles, sha256, token, invited_by, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      ...[id, tenant, email, roles, sha256(token), isMailed ? key.seal(Buffer.from(token), aadOf(id)) : null],
      ...[by.actor, new Date(now), new Date(expiresAt)],
    ],
  )
  if (isMailed) await engine.timers.set(tx, invitationTimer, { key: id, at: now, ids: { tenant, invitation: id } })
  return { id, token, expiresAt, isMailed }
}

async function resend(
  engine: Engine,
  key: DataKey,
  isMailed: boolean,
  { tenant, id, by }: { tenant: string; id: string; by: ActedBy },
): Promise<MadeInvitation> {
  return engine.db.asEngine(async (tx) => {
    const { email, roles } = await takeBack(engine, tx, tenant, id)
    const made = await write(engine, key, isMailed, tx, { tenant, email, roles, by })
    await recordAct(tx, { tenant, by, action: 'update', resource: 'invitation', id: made.id })
    return made
  })
}

/** @throws Failure `invitation-not-found` */
async function takeBack(engine: Engine, { client }: EngineTx, tenant: string, id: string) {
  const { rows } = await client.query<{ email: string; roles: Role[] }>(
    `update auth.invitation set revoked_at = $3, token = null
      where tenant_id = $1 and id = $2 and accepted_at is null and revoked_at is null returning email, roles`,
    [tenant, id, new Date(engine.clock.now())],
  )
  if (rows[0] === undefined)
    throw fail('invitation-not-found', 'No such invitation waits here. Read the list again.', { pointer: '/params/id' })
  return rows[0]
}

async function listInvitations(engine: Engine, tenant: string): Promise<Invitation[]> {
  const { rows } = await engine.db.pool.query<InvitationRow>(
    'select * from auth.invitation where tenant_id = $1 order by created_at desc, id desc limit 500',
    [tenant],
  )
  return rows.map((row) => ({
    ...{ id: row.id, email: row.email, roles: row.roles, createdAt: row.created_at.getTime() },
    ...{ expiresAt: row.expires_at.getTime(), sentAt: row.sent_at?.getTime() ?? null },
    state: stateOf(row, engine.clock.now()),
  }))
}

function stateOf(row: InvitationRow, now: number): Invitation['state'] {
  if (row.accepted_at !== null) return 'accepted'
  if (row.revoked_at !== null) return 'revoked'
  return row.expires_at.getTime() <= now ? 'expired' : 'waiting'
}

/** Used, taken back, expired or never there: nobody learns which. */
const over = () =>
  fail('invitation-over', 'This link does not open anything any more. Ask an administrator for another.', {
    pointer: '/body/token',
  })

const stillWaiting = 'sha256 = $1 and expires_at > $2 and accepted_at is null and revoked_at is null'

async function waiting({ engine, throttle }: Door, token: string, ip: string): Promise<InvitationRow> {
  const attempt = { door: 'invitation', ip, account: null, user: null } as const
  await throttle.take(attempt)
  const { rows } = await engine.db.pool.query<InvitationRow>(`select * from auth.invitation where ${stillWaiting}`, [
    sha256(token),
    new Date(engine.clock.now()),
  ])
  if (rows[0] === undefined) throw over()
  await throttle.settle(attempt)
  return rows[0]
}

async function accept(
  door: Door,
  shown: { readonly token: string; readonly displayName: string; readonly password: string },
  peer: { readonly ip: string; readonly requestId: string },
): Promise<{ email: string }> {
  const { engine } = door
  const { tenant_id: tenant, email, roles } = await waiting(door, shown.token, peer.ip)
  assertPassword(shown.password, [email, shown.displayName, await tenantName(engine, tenant)])
  const hash = await hashPassword(shown.password)
  return engine.db.asEngine(async (tx) => {
    // The row's lock decides: of two that come at once with one link, one finds nothing.
    const { rows } = await tx.client.query<{ id: string }>(
      `update auth.invitation set accepted_at = $2, token = null where ${stillWaiting} returning id`,
      [sha256(shown.token), new Date(engine.clock.now())],
    )
    if (rows[0] === undefined) throw over()
    const user = await insertUser(engine, tx.client, { tenant, email, roles, displayName: shown.displayName }, hash)
    await tx.client.query('update auth.invitation set user_id = $2 where id = $1', [rows[0].id, user])
    const by = { actor: `staff:${user}`, requestId: peer.requestId }
    await recordAct(tx, { tenant, by, action: 'create', resource: 'user', id: user })
    return { email }
  })
}

async function mailOf(engine: Engine, key: DataKey, tenant: string, id: string): Promise<InvitationMail | null> {
  const { rows } = await engine.db.pool.query<InvitationRow>(
    `select * from auth.invitation where tenant_id = $1 and id = $2 and expires_at > $3 and accepted_at is null
        and revoked_at is null and token is not null`,
    [tenant, id, new Date(engine.clock.now())],
  )
  const row = rows[0]
  if (row?.token == null) return null
  return {
    ...{ email: row.email, organisation: await tenantName(engine, tenant), expiresAt: row.expires_at.getTime() },
    token: key.open(row.token, aadOf(id)).toString(),
  }
}

const aadOf = (id: string): string => `auth.invitation ${id} token`

interface InvitationRow {
  readonly id: string
  readonly tenant_id: string
  readonly email: string
  readonly roles: Role[]
  readonly token: Buffer | null
  readonly created_at: Date
  readonly expires_at: Date
  readonly sent_at: Date | null
  readonly accepted_at: Date | null
  readonly revoked_at: Date | null
}
