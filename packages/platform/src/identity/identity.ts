/** The identity room as other rooms and `app` hold it. */
import type { Engine } from '../engine/index.ts'
import { type Act, type ActedBy, recordAct } from './acted-by.ts'
import { type Asking, authenticate, type DeviceByToken } from './authenticate.ts'
import type { Principal, StaffPrincipal } from './principal.ts'
import type { NewServiceToken, ServiceToken } from './service-tokens.ts'
import { createServiceToken, listServiceTokens, revokeServiceToken } from './service-tokens.ts'
import { endSession, listSessions, type Session } from './sessions.ts'
import { type FirstAdministrator, offerSetup, setUp } from './setup.ts'
import { recordRefusedSignIn, recordSignIn } from './sign-in-trail.ts'
import {
  type CreatedUser,
  createUser,
  endMembership,
  listMembers,
  type Member,
  type NewUser,
  renewPassword,
} from './staff.ts'
import { makeStaffAuth, type StaffAuthOptions } from './staff-auth.ts'
import { createTenant, findTenant, listTenants, tenantName } from './tenants.ts'

export interface Identity {
  /** Who asks; null when nothing was shown. @throws Failure `token-refused`, `no-membership` */
  authenticate(asking: Asking, deviceByToken: DeviceByToken): Promise<Principal | null>
  /** Serves sign-in, sign-out and sessions (`/api/auth/*`), already checked for origin. */
  serveSignIn(request: Request): Promise<Response>
  /** Writes an act of its own (a sign-out, a refusal) to the trail. */
  recordAct(act: Act): Promise<void>
  recordSignIn(user: string, requestId: string): Promise<void>
  recordRefusedSignIn(email: string, requestId: string): Promise<void>
  /** @throws Failure `tenant-exists` */
  createTenant(name: string, by?: ActedBy): Promise<string>
  tenants(): Promise<{ id: string; name: string }[]>
  /** @throws Failure `tenant-not-found` */
  findTenant(nameOrId: string): Promise<string>
  /** @throws Failure `tenant-not-found` */
  tenantName(tenant: string): Promise<string>
  /** @throws Failure `user-exists`, `password-weak` */
  createUser(user: NewUser, by?: ActedBy): Promise<CreatedUser>
  /** A new password for a member; every session of theirs ends. @throws Failure `user-not-found` */
  renewPassword(tenant: string, email: string, by?: ActedBy): Promise<{ id: string; password: string }>
  members(tenant: string): Promise<Member[]>
  /** @throws Failure `user-not-found` */
  endMembership(tenant: string, user: string, by?: ActedBy): Promise<void>
  /** Of one person, newest first. */
  sessions(person: StaffPrincipal): Promise<Session[]>
  /** @throws Failure `session-not-found` */
  endSession(person: StaffPrincipal, id: string, requestId: string): Promise<void>
  createServiceToken(wanted: NewServiceToken, by?: ActedBy): Promise<{ id: string; token: string }>
  serviceTokens(tenant: string): Promise<ServiceToken[]>
  /** @throws Failure `service-token-not-found` */
  revokeServiceToken(tenant: string, id: string, by?: ActedBy): Promise<void>
  /** A fresh one-time token for `/setup#token=...`, null when somebody is a member already. */
  offerSetup(): Promise<string | null>
  /** @throws Failure `setup-refused`, `password-weak` */
  setUp(first: FirstAdministrator): Promise<{ tenant: string; user: string }>
}

export async function makeIdentity(engine: Engine, options: StaffAuthOptions): Promise<Identity> {
  const staffAuth = await makeStaffAuth(engine, options)
  return {
    authenticate: (asking, deviceByToken) => authenticate(engine, staffAuth, deviceByToken, asking),
    serveSignIn: (request) => staffAuth.handler(request),
    recordAct: (act) => engine.db.asEngine((tx) => recordAct(tx, act)),
    recordSignIn: (user, requestId) => recordSignIn(engine, user, requestId),
    recordRefusedSignIn: (email, requestId) => recordRefusedSignIn(engine, email, requestId),
    createTenant: (name, by) => createTenant(engine, name, by),
    tenants: () => listTenants(engine),
    findTenant: (nameOrId) => findTenant(engine, nameOrId),
    tenantName: (tenant) => tenantName(engine, tenant),
    createUser: (user, by) => createUser(engine, user, by),
    renewPassword: (tenant, email, by) => renewPassword(engine, tenant, email, by),
    members: (tenant) => listMembers(engine, tenant),
    endMembership: (tenant, user, by) => endMembership(engine, tenant, user, by),
    sessions: (person) => listSessions(engine, person),
    endSession: (person, id, requestId) => endSession(engine, person, id, requestId),
    createServiceToken: (wanted, by) => createServiceToken(engine, wanted, by),
    serviceTokens: (tenant) => listServiceTokens(engine, tenant),
    revokeServiceToken: (tenant, id, by) => revokeServiceToken(engine, tenant, id, by),
    offerSetup: () => offerSetup(engine),
    setUp: (first) => setUp(engine, first),
  }
}
