/** Bearer tokens of programs: `cls_` and 256 random bits. The SHA-256 is kept, the token is shown once. */
import { createHash } from 'node:crypto'
import type { Scope } from '@careloop/contract'
import { type Engine, makeGather } from '../engine/index.ts'
import { type ActedBy, byConsole, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import type { ServicePrincipal } from './principal.ts'

export interface NewServiceToken {
  readonly tenant: string
  readonly name: string
  readonly scopes: readonly Scope[]
  /** Milliseconds since epoch; left out = until revoked. */
  readonly expiresAt?: number
}

export interface ServiceToken {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** @returns the token itself: the only time it is seen */
export async function createServiceToken(
  engine: Engine,
  wanted: NewServiceToken,
  by: ActedBy = byConsole,
): Promise<{ id: string; token: string }> {
  const id = engine.ids.uuid()
  const token = engine.ids.token('cls')
  const { tenant, name, scopes } = wanted
  await engine.db.asEngine(async (tx) => {
    await tx.client.query(
      `insert into auth.service_token (id, tenant_id, name, sha256, scopes, created_by, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [id, tenant, name, sha256(token), [...scopes], by.actor, dateOf(wanted.expiresAt)],
    )
    await recordAct(tx, { tenant, by, action: 'create', resource: 'service-token', id })
  })
  return { id, token }
}

/** Null for an unknown, expired or revoked token. */
export type ServiceByToken = (token: string) => Promise<ServicePrincipal | null>

/** Read anew for each request, by one statement for those that come at the same time. */
export function makeServiceByToken(engine: Pick<Engine, 'db' | 'clock'>): ServiceByToken {
  const bySha256 = makeGather<string, ServicePrincipal | null>(async (hashes) => {
    const { rows } = await engine.db.pool.query<{ sha256: Buffer; id: string; tenant_id: string; scopes: Scope[] }>({
      name: 'careloop-service-tokens',
      text: `select sha256, id, tenant_id, scopes from auth.service_token
        where sha256 = any($1) and revoked_at is null and (expires_at is null or expires_at > $2)`,
      values: [[...new Set(hashes)].map((hash) => Buffer.from(hash, 'hex')), new Date(engine.clock.now())],
    })
    const found = new Map<string, ServicePrincipal>()
    for (const { sha256, tenant_id: tenant, id, scopes } of rows)
      found.set(sha256.toString('hex'), { kind: 'service', tenant, id, scopes })
    return hashes.map((hash) => found.get(hash) ?? null)
  })
  return (token) => bySha256(sha256(token).toString('hex'))
}

export async function listServiceTokens(engine: Engine, tenant: string): Promise<ServiceToken[]> {
  const { rows } = await engine.db.pool.query<TokenRow>(
    `select id, name, scopes, created_at, expires_at, revoked_at from auth.service_token
      where tenant_id = $1 order by created_at, id`,
    [tenant],
  )
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    createdAt: row.created_at.getTime(),
    expiresAt: row.expires_at?.getTime() ?? null,
    revokedAt: row.revoked_at?.getTime() ?? null,
  }))
}

/** From the next request on it opens nothing. @throws Failure `service-token-not-found` */
export async function revokeServiceToken(
  engine: Engine,
  tenant: string,
  id: string,
  by: ActedBy = byConsole,
): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const { rowCount } = await tx.client.query(
      'update auth.service_token set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1 and id = $2',
      [tenant, id],
    )
    if (rowCount !== 1)
      throw fail('service-token-not-found', 'No such token. Read the list again.', { pointer: '/params/id' })
    await tx.publish(tenant, { type: 'AccessChanged', principal: id })
    await recordAct(tx, { tenant, by, action: 'revoke', resource: 'service-token', id })
  })
}

const dateOf = (at: number | undefined): Date | null => (at === undefined ? null : new Date(at))

interface TokenRow {
  readonly id: string
  readonly name: string
  readonly scopes: Scope[]
  readonly created_at: Date
  readonly expires_at: Date | null
  readonly revoked_at: Date | null
}
