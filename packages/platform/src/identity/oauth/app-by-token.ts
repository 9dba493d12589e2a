/**
 * Whom an access token of an app stands for: the person who allowed it, with the roles they have now, or the app itself. Read anew for
 * each request, by one statement for those that come at the same time: what ended a moment ago opens nothing.
 */
import type { Action, AnyRole, Scope } from '@careloop/contract'
import { type SealedDetail, sealDetail } from '../../audit/index.ts'
import { type Engine, makeGather } from '../../engine/index.ts'
import type { AppGrant, ServicePrincipal, SmartAccess, SmartScope, StaffPrincipal } from '../principal.ts'
import { sha256 } from '../service-tokens.ts'
import { isPerson } from '../session-hold.ts'
import { grantable } from './grantable.ts'
import { parseScope } from './scopes.ts'

/** A person's, with the session that a grant for now only stands on: the caller holds it to what sessions are held to. */
export interface AppToken {
  readonly principal: StaffPrincipal | ServicePrincipal
  /** Absent: it is good without a session. */
  readonly session?: string
}

/** Null for a token that is unknown, expired or ended, or whose app, grant or membership has ended. */
export type AppByToken = (token: string) => Promise<AppToken | null>

export function makeAppByToken(engine: Pick<Engine, 'db' | 'clock' | 'keys'>): AppByToken {
  const bySha256 = makeGather<string, AppToken | null>(async (hashes) => {
    const { rows } = await engine.db.pool.query<TokenRow>({
      name: 'careloop-app-tokens',
      text: TOKENS,
      values: [[...new Set(hashes)].map((hash) => Buffer.from(hash, 'hex')), new Date(engine.clock.now())],
    })
    const found = new Map<string, AppToken>()
    for (const row of rows) {
      const key = await engine.keys.keyFor('tenant', row.tenant_id)
      const detail = sealDetail({ tenant: row.tenant_id }, key, { app: row.app_id })
      found.set(row.sha256.toString('hex'), tokenOf(row, detail))
    }
    return hashes.map((hash) => found.get(hash) ?? null)
  })
  return (token) => bySha256(sha256(token).toString('hex'))
}

const TOKENS = `select t.sha256, t.tenant_id, t.app_id, t.scopes, t.grant_id, a.name as app_name, a.scopes as allowed, g.user_id, g.patient_id, g.session_id,
      g.is_offline, m.display_name, m.roles
    from auth.app_token t
    join auth.app a on a.id = t.app_id and a.disabled_at is null
    left join auth.app_grant g on g.id = t.grant_id and g.ended_at is null and g.expires_at > $2
    left join auth.member m on m.user_id = g.user_id and m.tenant_id = t.tenant_id and m.ended_at is null
   where t.sha256 = any($1) and t.kind = 'access' and t.expires_at > $2 and t.ended_at is null
     and (t.grant_id is null or m.user_id is not null)`

interface TokenRow {
  readonly sha256: Buffer
  readonly tenant_id: string
  readonly app_id: string
  readonly app_name: string
  readonly allowed: string[]
  readonly scopes: string[]
  readonly grant_id: string | null
  readonly user_id: string | null
  readonly patient_id: string | null
  readonly session_id: string | null
  readonly is_offline: boolean | null
  readonly display_name: string | null
  readonly roles: AnyRole[] | null
}

function tokenOf(row: TokenRow, detail: SealedDetail): AppToken {
  // What an administrator took off the app since is off every token of it; so is what its person's kind of account does not have.
  const who = row.roles === null ? 'system' : isPerson(row.roles) ? 'person' : 'staff'
  const scopes = grantable(row.scopes.join(' '), row.allowed, who).flatMap((text) => parseScope(text) ?? [])
  const app: AppGrant = {
    ...{ client: row.app_id, name: row.app_name, scopes, detail },
    ...(row.patient_id === null ? {} : { patient: row.patient_id }),
  }
  const { tenant_id: tenant } = row
  if (row.grant_id === null)
    return { principal: { kind: 'service', tenant, id: row.app_id, scopes: ownScopes(scopes), app } }
  const principal: StaffPrincipal = {
    ...{ kind: 'staff', tenant, id: row.user_id!, displayName: row.display_name!, roles: row.roles! },
    ...{ session: row.session_id!, app },
  }
  return row.is_offline === true ? { principal } : { principal, session: row.session_id! }
}

const actionsOf: Readonly<Record<SmartAccess, readonly Action[]>> = {
  ...{ c: ['create'], r: ['read'], u: ['update'], d: ['delete'], s: ['read'] },
}

/** What it may do at all; of which types, its grant says, which every route that it reaches asks (`admits`). */
const ownScopes = (scopes: readonly SmartScope[]): Scope[] =>
  [...new Set(scopes.flatMap(({ access }) => [...access].flatMap((letter) => actionsOf[letter])))].map(
    (action): Scope => `*:${action}`,
  )
