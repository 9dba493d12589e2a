/** What ties a session to the identity provider at which it began: sign-out here leads there, sign-out there ends it here. */
import type { ClientBase } from 'pg'
import type { Engine } from '../engine/index.ts'

/** Where a sign-in came from. */
export interface SsoOrigin {
  readonly tenant: string
  readonly issuer: string
  readonly subject: string
  /** The session there; null when the provider names none. */
  readonly sid: string | null
  /** Never log it. */
  readonly idToken: string
}

const keyOf = (engine: Engine) => engine.keys.keyFor('auth', 'sso')

/** The session works in the provider's organisation only, and ends with the one there. */
export async function tieToProvider(
  engine: Engine,
  client: Pick<ClientBase, 'query'>,
  session: string,
  origin: SsoOrigin,
): Promise<void> {
  const key = await keyOf(engine)
  const { tenant, issuer, subject, sid, idToken } = origin
  await client.query('update auth.session set tenant_id = $2 where id = $1', [session, tenant])
  await client.query(
    'insert into auth.sso_session (session_id, tenant_id, issuer, subject, sid, id_token) values ($1, $2, $3, $4, $5, $6)',
    [session, tenant, issuer, subject, sid, key.seal(Buffer.from(idToken), `auth.sso_session ${session}`)],
  )
}

/** Until the second step is passed there is no session: the challenge carries it. @param token SHA-256 of the challenge's token */
export async function carryByChallenge(engine: Engine, token: Buffer, origin: SsoOrigin): Promise<void> {
  const key = await keyOf(engine)
  const { tenant, issuer, subject, sid, idToken } = origin
  await engine.db.pool.query(
    `update auth.challenge set sso_tenant_id = $2, sso_issuer = $3, sso_subject = $4, sso_sid = $5, sso_id_token = $6
      where sha256 = $1`,
    [token, tenant, issuer, subject, sid, key.seal(Buffer.from(idToken), aadOf(token))],
  )
}

export interface CarriedRow {
  readonly sso_tenant_id: string | null
  readonly sso_issuer: string
  readonly sso_subject: string
  readonly sso_sid: string | null
  readonly sso_id_token: Buffer
}

/** @returns null when the sign-in began with a password */
export async function carriedBy(engine: Engine, token: Buffer, row: CarriedRow): Promise<SsoOrigin | null> {
  if (row.sso_tenant_id === null) return null
  const key = await keyOf(engine)
  return {
    ...{ tenant: row.sso_tenant_id, issuer: row.sso_issuer, subject: row.sso_subject, sid: row.sso_sid },
    idToken: key.open(row.sso_id_token, aadOf(token)).toString(),
  }
}

const aadOf = (token: Buffer): string => `auth.challenge ${token.toString('hex')} sso_id_token`
