/** The identity room as other rooms and `app` hold it. */
import type { Engine } from '../engine/index.ts'
import { type Asking, authenticate, type DeviceByToken } from './authenticate.ts'
import type { Principal } from './principal.ts'
import type { NewServiceToken, ServiceToken } from './service-tokens.ts'
import { createServiceToken, listServiceTokens, revokeServiceToken } from './service-tokens.ts'
import { type FirstAdministrator, offerSetup, setUp } from './setup.ts'
import { type CreatedUser, createUser, endMembership, listMembers, type Member, type NewUser } from './staff.ts'
import { makeStaffAuth, type StaffAuthOptions } from './staff-auth.ts'
import { createTenant, findTenant, tenantName } from './tenants.ts'

export interface Identity {
  /** Who asks; null when nothing was shown. @throws Failure `token-refused`, `no-membership` */
  authenticate(asking: Asking, deviceByToken: DeviceByToken): Promise<Principal | null>
  /** Serves sign-in, sign-out and sessions (`/api/auth/*`), already checked for origin. */
  serveSignIn(request: Request): Promise<Response>
  /** @throws Failure `tenant-exists` */
  createTenant(name: string): Promise<string>
  /** @throws Failure `tenant-not-found` */
  findTenant(nameOrId: string): Promise<string>
  /** @throws Failure `tenant-not-found` */
  tenantName(tenant: string): Promise<string>
  /** @throws Failure `user-exists`, `password-weak` */
  createUser(user: NewUser): Promise<CreatedUser>
  members(tenant: string): Promise<Member[]>
  /** @throws Failure `user-not-found` */
  endMembership(tenant: string, user: string): Promise<void>
  createServiceToken(wanted: NewServiceToken): Promise<{ id: string; token: string }>
  serviceTokens(tenant: string): Promise<ServiceToken[]>
  /** @throws Failure `service-token-not-found` */
  revokeServiceToken(tenant: string, id: string): Promise<void>
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
    createTenant: (name) => createTenant(engine, name),
    findTenant: (nameOrId) => findTenant(engine, nameOrId),
    tenantName: (tenant) => tenantName(engine, tenant),
    createUser: (user) => createUser(engine, user),
    members: (tenant) => listMembers(engine, tenant),
    endMembership: (tenant, user) => endMembership(engine, tenant, user),
    createServiceToken: (wanted) => createServiceToken(engine, wanted),
    serviceTokens: (tenant) => listServiceTokens(engine, tenant),
    revokeServiceToken: (tenant, id) => revokeServiceToken(engine, tenant, id),
    offerSetup: () => offerSetup(engine),
    setUp: (first) => setUp(engine, first),
  }
}
