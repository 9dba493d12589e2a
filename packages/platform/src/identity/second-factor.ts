/** The second factor of a person: a secret shared with their telephone, and codes for the day it is lost. */
import { randomBytes } from 'node:crypto'
import type { AnyRole } from '@careloop/contract'
import type { ClientBase } from 'pg'
import type { Engine, EngineTx } from '../engine/index.ts'
import { endSessions } from './access-changed.ts'
import { type ActedBy, byConsole, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import type { Secrets } from './secrets.ts'
import { fromBase32, keyUri, secretBytes, stepOf, toBase32 } from './totp.ts'

/** Of whom a second factor is demanded. Everybody else may have one. */
const demandedOf: Readonly<Record<AnyRole, boolean>> = {
  administrator: true, // makes people and tokens: their password alone would open everything
  nurse: false,
  physician: false,
  facilities: false,
  pharmacist: false,
  biomed: false,
  compliance: true, // reads who saw whom, and closes reviews
  integrator: false,
  patient: false,
  caregiver: false,
}

export const demandsSecondFactor = (roles: readonly AnyRole[]): boolean => roles.some((role) => demandedOf[role])

export interface SecondFactorState {
  /** An app or a passkey. One that is suspected counts: or else a copy of it would take the second step away. */
  readonly isOn: boolean
  readonly hasApp: boolean
  /** Those that open something. */
  readonly passkeys: number
  /** One-time codes left for who has lost the telephone. */
  readonly backupCodesLeft: number
}

export async function readSecondFactor(engine: Engine, user: string): Promise<SecondFactorState> {
  const { rows } = await engine.db.pool.query<{ app: boolean; good: number; all: number; codes: number }>(
    `select exists(select from auth.second_factor where user_id = $1 and confirmed_at is not null) as app,
            (select count(*)::int from auth.passkey where user_id = $1 and suspected_at is null) as good,
            (select count(*)::int from auth.passkey where user_id = $1) as all,
            (select count(*)::int from auth.backup_code where user_id = $1) as codes`,
    [user],
  )
  const { app, good, all, codes } = rows[0]!
  return { isOn: app || all > 0, hasApp: app, passkeys: good, backupCodesLeft: codes }
}

export interface OfferedSecret {
  /** Base32, for who cannot scan. */
  readonly secret: string
  /** What the QR code says. */
  readonly uri: string
}

/** Base32. */
export const newSecret = (): string => toBase32(randomBytes(secretBytes))

/** A fresh secret that counts once a code of it was given; until then what was there before goes on. */
export async function offerSecret(
  engine: Engine,
  secrets: Secrets,
  person: { readonly user: string; readonly tenantName: string },
): Promise<OfferedSecret> {
  const secret = randomBytes(secretBytes)
  const { rows } = await engine.db.pool.query<{ email: string }>(
    `with kept as (
       insert into auth.second_factor (user_id, pending) values ($1, $2)
       on conflict (user_id) do update set pending = excluded.pending)
     select email from auth.user where id = $1`,
    [person.user, secrets.key.seal(secret, aadOf(person.user))],
  )
  return { secret: toBase32(secret), uri: keyUri(secret, rows[0]!.email, `Careloop ${person.tenantName}`) }
}

export interface Confirming {
  readonly tenant: string
  readonly user: string
  /** The one that goes on; all others of the person end. */
  readonly session: string
  readonly code: string
  readonly by: ActedBy
}

/** @returns new backup codes, shown once. @throws Failure `second-factor-not-offered`, `second-factor-refused` */
export async function confirmSecret(engine: Engine, secrets: Secrets, wanted: Confirming): Promise<string[]> {
  const { tenant, user, session, by } = wanted
  return engine.db.asEngine(async (tx) => {
    const { client } = tx
    const { rows } = await client.query<{ pending: Buffer | null }>(
      'select pending from auth.second_factor where user_id = $1 for update',
      [user],
    )
    const pending = rows[0]?.pending ?? null
    if (pending === null)
      throw fail('second-factor-not-offered', 'Nothing waits to be confirmed. Begin again with a new QR code.')
    const now = engine.clock.now()
    const step = stepOf(secrets.key.open(pending, aadOf(user)), wanted.code, now)
    if (step === null) throw wrongCode('This code is not right. See that the telephone shows the right time.')
    await client.query(
      `update auth.second_factor set secret = pending, pending = null, confirmed_at = $2, last_step = $3
        where user_id = $1`,
      [user, new Date(now), step],
    )
    await beginFactor(tx, { user, session, now })
    await recordAct(tx, { tenant, by, action: 'create', resource: 'second-factor', id: user })
    return renewBackupCodes(client, secrets, user)
  })
}

/** What was there before a second factor was taken on ends; the session that took it on goes on, and has just proved it. */
export async function beginFactor(
  tx: EngineTx,
  { user, session, now }: { readonly user: string; readonly session: string; readonly now: number },
): Promise<void> {
  await endSessions(tx, user, session)
  await tx.client.query('update auth.session set second_factor_at = $2, proved_at = $2 where id = $1', [
    ...[session, new Date(now)],
  ])
}

/** Backup codes for who had no second factor before; nothing for who has theirs already. */
export async function firstBackupCodes(tx: EngineTx, secrets: Secrets, user: string): Promise<string[]> {
  const { rowCount } = await tx.client.query('select from auth.backup_code where user_id = $1 limit 1', [user])
  return rowCount === 0 ? renewBackupCodes(tx.client, secrets, user) : []
}

/**
 * Whether a code of the app, or a backup code, is right. Each is good once: the app's code and all before it are refused from now on,
 * a backup code is gone.
 */
export async function takeCode(engine: Engine, secrets: Secrets, user: string, code: string): Promise<boolean> {
  return engine.db.asEngine(async ({ client }) => {
    const { rows } = await client.query<{ secret: Buffer | null }>(
      'select secret from auth.second_factor where user_id = $1 for update',
      [user],
    )
    const secret = rows[0]?.secret ?? null
    // Who has passkeys only has backup codes all the same.
    const step = secret === null ? null : stepOf(secrets.key.open(secret, aadOf(user)), code, engine.clock.now())
    if (step !== null) {
      const taken = await client.query(
        'update auth.second_factor set last_step = $2 where user_id = $1 and last_step < $2',
        [user, step],
      )
      return taken.rowCount === 1
    }
    const used = await client.query('delete from auth.backup_code where user_id = $1 and hmac = $2', [
      ...[user, backupHmac(secrets, user, code)],
    ])
    return used.rowCount === 1
  })
}

/** New backup codes; the old ones open nothing any more. */
export const replaceBackupCodes = (
  engine: Engine,
  secrets: Secrets,
  { tenant, user, by }: Pick<Confirming, 'tenant' | 'user' | 'by'>,
): Promise<string[]> =>
  engine.db.asEngine(async (tx) => {
    await recordAct(tx, { tenant, by, action: 'update', resource: 'second-factor', id: user })
    return renewBackupCodes(tx.client, secrets, user)
  })

export interface Removing {
  readonly tenant: string
  readonly user: string
  readonly by: ActedBy
  /** The session that goes on; absent: all of the person end. */
  readonly keep?: string
}

/** Takes app, passkeys and backup codes off a member; their sessions end. @throws Failure `user-not-found` */
export async function removeSecondFactor(engine: Engine, { tenant, user, by, keep }: Removing): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const { client } = tx
    const member = await client.query(
      'select from auth.member where tenant_id = $1 and user_id = $2 and ended_at is null',
      [tenant, user],
    )
    if (member.rowCount !== 1) throw fail('user-not-found', 'Nobody with this id works here. Read the list again.')
    await client.query('delete from auth.second_factor where user_id = $1', [user])
    await client.query('delete from auth.backup_code where user_id = $1', [user])
    await client.query('delete from auth.passkey where user_id = $1', [user])
    await client.query('delete from auth.challenge where user_id = $1', [user])
    await endSessions(tx, user, keep)
    await recordAct(tx, { tenant, by, action: 'revoke', resource: 'second-factor', id: user })
  })
}

/**
 * Gives somebody a secret that is known beforehand: for the demo, whose administrators must be able to sign in at once. From the
 * server's own console only; no route leads here. Their sessions end. @throws Failure `second-factor-invalid`
 */
export async function presetSecret(
  engine: Engine,
  secrets: Secrets,
  { tenant, user, secret }: { readonly tenant: string; readonly user: string; readonly secret: string },
): Promise<void> {
  const bytes = fromBase32(secret)
  if (bytes === null || bytes.length < 16)
    throw fail('second-factor-invalid', 'A secret is base32 of at least 16 bytes (26 letters).')
  await engine.db.asEngine(async (tx) => {
    await tx.client.query(
      `insert into auth.second_factor (user_id, secret, confirmed_at) values ($1, $2, $3)
       on conflict (user_id) do update set secret = excluded.secret, confirmed_at = excluded.confirmed_at, pending = null`,
      [user, secrets.key.seal(bytes, aadOf(user)), new Date(engine.clock.now())],
    )
    await endSessions(tx, user)
    await recordAct(tx, { tenant, by: byConsole, action: 'create', resource: 'second-factor', id: user })
  })
}

// ---------------------------------------------------------------- parts

const aadOf = (user: string): string => `second-factor:${user}`

export const wrongCode = (message: string) => fail('second-factor-refused', message, { pointer: '/body/code' })

const backupCodes = 10

async function renewBackupCodes(client: ClientBase, secrets: Secrets, user: string): Promise<string[]> {
  // 50 bits each: base32 of 10 letters, in two groups that are read aloud easily.
  const codes = Array.from({ length: backupCodes }, () => toBase32(randomBytes(7)).slice(0, 10))
  await client.query('delete from auth.backup_code where user_id = $1', [user])
  for (const code of codes)
    await client.query('insert into auth.backup_code (user_id, hmac) values ($1, $2) on conflict do nothing', [
      ...[user, backupHmac(secrets, user, code)],
    ])
  return codes.map((code) => `${code.slice(0, 5)}-${code.slice(5)}`)
}

const backupHmac = (secrets: Secrets, user: string, code: string): Buffer =>
  secrets.lookup('backup-code', `${user} ${code.toUpperCase().replaceAll(/[\s-]/g, '')}`)
