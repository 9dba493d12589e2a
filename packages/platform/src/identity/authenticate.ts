/**
 * Who asks: a device or service by bearer token, a member of staff by session cookie. A token that is shown and is not good
 * is refused, even beside a good cookie: falling back would hide a revoked token.
 */
import { type AnyRole, Failure } from '@careloop/contract'
import { type Engine, makeGather } from '../engine/index.ts'
import { fail } from './errors.ts'
import type { AppByToken } from './oauth/app-by-token.ts'
import type { DeviceSpeaker, Hold, Principal, StaffPrincipal } from './principal.ts'
import { type ServiceByToken, sha256 } from './service-tokens.ts'
import { holdOf, idleLockOf } from './session-hold.ts'
import type { StaffAuth } from './staff-auth.ts'

/** What of a request tells who asks. */
export interface Asking {
  readonly authorization: string | undefined
  readonly cookie: string | undefined
}

/** The fleet room's answer to a device token's SHA-256; null = unknown or revoked. */
export type DeviceByToken = (sha256: Buffer) => Promise<DeviceSpeaker | null>

export interface AuthenticateParts {
  readonly engine: Pick<Engine, 'clock'>
  readonly staffAuth: StaffAuth
  readonly serviceByToken: ServiceByToken
  readonly appByToken: AppByToken
  readonly membershipBySession: MembershipBySession
  readonly idleLockMs: number
}

/**
 * @returns null when nothing was shown; a member of staff whose session is held back too, with `held`
 * @throws Failure `token-refused`, `no-membership`
 */
export async function authenticate(
  parts: AuthenticateParts,
  deviceByToken: DeviceByToken,
  asking: Asking,
): Promise<Principal | null> {
  if (asking.authorization !== undefined) return byBearer(parts, deviceByToken, asking.authorization)
  if (asking.cookie !== undefined) return bySession(parts, asking.cookie)
  return null
}

async function byBearer(parts: AuthenticateParts, deviceByToken: DeviceByToken, header: string): Promise<Principal> {
  const token = /^Bearer +([A-Za-z0-9_.-]{8,512})$/i.exec(header)?.[1]
  if (token?.startsWith('cls_')) {
    const service = await parts.serviceByToken(token)
    if (service !== null) return service
  }
  if (token?.startsWith('cld_')) {
    const device = await deviceByToken(sha256(token))
    if (device !== null) return { kind: 'device', tenant: device.tenant, id: device.device, device }
  }
  if (token?.startsWith('clo_')) {
    const app = await principalOfApp(parts, token)
    if (app !== null) return app
    throw fail('token-refused', 'This token of an app is unknown, expired or revoked. Renew it, or authorise again.')
  }
  throw fail('token-refused', 'This token is unknown, expired or revoked. Make a new one: `careloop token create`.')
}

/**
 * Whom an app's token stands for. One that is for the time of a session ends with it, and opens nothing while that is held back. Null for
 * a token that is not good.
 * @throws Failure `session-locked`
 */
async function principalOfApp(parts: AuthenticateParts, token: string): Promise<Principal | null> {
  const found = await parts.appByToken(token)
  if (found?.session === undefined) return found?.principal ?? null
  const member = await parts.membershipBySession(found.session)
  if (member === undefined || member.ends_at.getTime() <= parts.engine.clock.now()) return null
  // Not a bad token: it is good again once they are back.
  if (holdOfMember(parts, member) !== null)
    throw fail(
      'session-locked',
      'The session in which this app was opened is locked. Unlock it in Careloop, then go on.',
    )
  return found.principal
}

/** Whether an app's token opens anything at this moment. */
export async function isAppTokenGood(parts: AuthenticateParts, token: string): Promise<boolean> {
  try {
    return (await principalOfApp(parts, token)) !== null
  } catch (error) {
    if (error instanceof Failure && error.code === 'session-locked') return false
    throw error
  }
}

function holdOfMember({ engine, idleLockMs }: AuthenticateParts, member: MembershipRow): Hold | null {
  // One that the organisation's identity provider asked for counts too, though none is kept here.
  const hasSecondFactor = member.has_second_factor || member.second_factor_at !== null
  return holdOf(
    {
      ...{ roles: member.roles, hasSecondFactor, activeAt: member.active_at.getTime() },
      ...{ lockedAt: member.locked_at?.getTime() ?? null, isPasswordHandedOver: member.is_password_handed_over },
    },
    engine.clock.now(),
    idleLockOf(member.roles, idleLockMs),
  )
}

async function bySession(parts: AuthenticateParts, cookie: string): Promise<StaffPrincipal | null> {
  const { engine, staffAuth, membershipBySession } = parts
  const found = await staffAuth.api.getSession({ headers: new Headers({ cookie }), query: { disableRefresh: true } })
  if (found === null) return null
  const member = await membershipBySession(found.session.id)
  if (member === undefined)
    throw fail('no-membership', 'You are signed in and belong to no organisation. Ask an administrator.')
  // Whatever was done in it meanwhile: nothing prolongs a session.
  if (member.ends_at.getTime() <= engine.clock.now()) return null
  // Whoever has a second factor passed it in this session. One that did not is from before: it ended when the factor was taken on.
  if (member.has_second_factor && member.second_factor_at === null) return null
  const hold = holdOfMember(parts, member)
  return {
    ...(hold === null ? {} : { held: hold }),
    kind: 'staff',
    tenant: member.tenant_id,
    id: found.user.id,
    displayName: member.display_name,
    roles: member.roles,
    session: found.session.id,
    hasSecondFactor: member.has_second_factor,
    ...(member.proved_at === null ? {} : { provedAt: member.proved_at.getTime() }),
  }
}

export type MembershipBySession = (session: string) => Promise<MembershipRow | undefined>

/**
 * The session's own row decides which membership. Read anew for each request, by one statement for those that come at the same time:
 * a role taken away counts from the next request on.
 */
export const makeMembershipBySession = ({ db }: Pick<Engine, 'db'>): MembershipBySession =>
  makeGather(async (sessions) => {
    const { rows } = await db.pool.query<MembershipRow>({
      name: 'careloop-memberships',
      text: MEMBERSHIPS,
      values: [[...new Set(sessions)]],
    })
    const found = new Map(rows.map((row) => [row.session_id, row]))
    return sessions.map((session) => found.get(session))
  })

const MEMBERSHIPS = `select distinct on (s.id) s.id as session_id, m.tenant_id, m.roles, m.display_name,
      s.active_at, s.locked_at, s.second_factor_at, s.proved_at, s.ends_at,
      (f.confirmed_at is not null or exists (select from auth.passkey p where p.user_id = m.user_id)) as has_second_factor,
      exists (select from auth.account a where a.user_id = m.user_id and a.handed_over_at is not null)
        as is_password_handed_over
    from auth.member m join auth.session s on s.user_id = m.user_id
    left join auth.second_factor f on f.user_id = m.user_id
   where s.id = any($1) and m.ended_at is null and (s.tenant_id is null or s.tenant_id = m.tenant_id)
   order by s.id, m.created_at, m.tenant_id`

interface MembershipRow {
  readonly session_id: string
  readonly tenant_id: string
  readonly roles: AnyRole[]
  readonly display_name: string
  readonly active_at: Date
  readonly locked_at: Date | null
  readonly second_factor_at: Date | null
  readonly proved_at: Date | null
  readonly ends_at: Date
  readonly has_second_factor: boolean
  readonly is_password_handed_over: boolean
}
