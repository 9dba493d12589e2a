/** Tokens of apps: 256 random bits, kept as SHA-256. An access token is good for minutes and is looked up at each request. */
import type { Engine, EngineTx } from '../../engine/index.ts'
import { sha256 } from '../service-tokens.ts'

/** ms. Of people: renewed by its refresh token. Of backend services: SMART wants five minutes at most. */
export const accessMs = 10 * 60_000
export const backendAccessMs = 5 * 60_000
/** A person is asked again after so long, ms. */
export const grantMs = 90 * 24 * 3_600_000
/** Without `offline_access` a grant ends with the session at the latest. */
export const onlineGrantMs = 12 * 3_600_000

export interface NewToken {
  readonly kind: 'access' | 'refresh'
  readonly tenant: string
  readonly app: string
  readonly grant: string | null
  readonly scopes: readonly string[]
  readonly expiresAt: number
}

const prefixes = { access: 'clo', refresh: 'clr' } as const

/** @returns the token: the only time it is seen */
export async function issueToken(engine: Engine, tx: EngineTx, wanted: NewToken): Promise<string> {
  const token = engine.ids.token(prefixes[wanted.kind])
  const now = engine.clock.now()
  await tx.client.query(
    `insert into auth.app_token (sha256, kind, tenant_id, app_id, grant_id, scopes, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[sha256(token), wanted.kind, wanted.tenant, wanted.app, wanted.grant, [...wanted.scopes]],
      ...[new Date(now), new Date(wanted.expiresAt)],
    ],
  )
  return token
}

/** What ran out a day ago goes. A refresh token that was used stays until it would have run out: its second use tells of a theft. */
export async function sweepTokens(engine: Engine, tx: EngineTx, app: string): Promise<void> {
  const before = new Date(engine.clock.now() - 24 * 3_600_000)
  for (const table of ['app_token', 'app_launch'] as const)
    await tx.client.query(`delete from auth.${table} where app_id = $1 and expires_at < $2`, [app, before])
  await tx.client.query('delete from auth.app_grant where app_id = $1 and expires_at < $2', [app, before])
}

/** Every token of it opens nothing from the next request on. @returns whether it was open */
export async function endGrant(engine: Engine, tx: EngineTx, grant: string): Promise<boolean> {
  const { rowCount } = await tx.client.query(
    'update auth.app_grant set ended_at = $2 where id = $1 and ended_at is null',
    [grant, new Date(engine.clock.now())],
  )
  return rowCount === 1
}
