/** The identity room as other rooms and `app` hold it. */
import type { MadePasskey, Passkey, PasskeyAnswer, Role } from '@careloop/contract'
import type { z } from 'zod'
import type { Engine } from '../engine/index.ts'
import { type Act, type ActedBy, byConsole, recordAct } from './acted-by.ts'
import {
  type Asking,
  type AuthenticateParts,
  authenticate,
  type DeviceByToken,
  isAppTokenGood,
  makeMembershipBySession,
} from './authenticate.ts'
import { displayByCookie } from './display-cookie.ts'
import { type Displays, makeDisplays } from './displays.ts'
import { type Invitations, makeInvitations } from './invitations.ts'
import { makeSmart, type Smart } from './oauth/smart.ts'
import {
  beginEnrolment,
  changePassword,
  confirmEnrolment,
  giveUpSecondFactor,
  type PasswordChange,
  renewBackupCodes,
  stepUp,
  unlock,
} from './own-account.ts'
import { askOwnPasskey, beginPasskey, confirmPasskey, type KeptPasskey, removePasskey } from './own-passkeys.ts'
import { type BrowserOptions, listPasskeys } from './passkeys.ts'
import { makePersons, type Persons } from './persons.ts'
import type { DisplayPrincipal, Principal, StaffPrincipal } from './principal.ts'
import type { Asker, Proof } from './proof.ts'
import {
  type OfferedSecret,
  presetSecret,
  readSecondFactor,
  removeSecondFactor,
  type SecondFactorState,
} from './second-factor.ts'
import { openSecrets } from './secrets.ts'
import type { NewServiceToken, ServiceToken } from './service-tokens.ts'
import { createServiceToken, listServiceTokens, makeServiceByToken, revokeServiceToken } from './service-tokens.ts'
import { assertFree, keepAwake, lockSession } from './session-hold.ts'
import { endSession, leaveSession, listSessions, type Session } from './sessions.ts'
import { type FirstAdministrator, offerSetup, setUp } from './setup.ts'
import { type Door, type Peer, passSecondFactor, type SignInStep, signIn } from './sign-in.ts'
import { beginPasskeySignIn, beginPasskeyStep, passPasskeyStep, signInByPasskey } from './sign-in-passkey.ts'
import { makeSso, type Sso } from './sso.ts'
import {
  type CreatedUser,
  createUser,
  endMembership,
  listMembers,
  type Member,
  type NewUser,
  renewPassword,
  setRoles,
} from './staff.ts'
import { makeStaffAuth, type StaffAuthOptions } from './staff-auth.ts'
import { createTenant, findTenant, listTenants, tenantName } from './tenants.ts'
import { makeThrottle } from './throttle.ts'

export interface Identity {
  /** After so long without a human being a session is locked. */
  readonly idleLockMs: number
  readonly secureCookies: boolean
  /** Where browsers reach us, when it is configured. */
  readonly publicOrigin?: string | undefined
  /**
   * Who asks; null when nothing was shown.
   * @throws Failure `token-refused`, `no-membership`, `session-locked`, `password-change-needed`, `second-factor-needed`
   */
  authenticate(asking: Asking, deviceByToken: DeviceByToken): Promise<Principal | null>
  /** As `authenticate`, and also those whose session is held back, with `held`. Only for routes that let go of the hold. */
  authenticateHeld(asking: Asking, deviceByToken: DeviceByToken): Promise<Principal | null>
  /** Which wall screen asks; null when its cookie is none, or the screen was revoked or has expired. */
  authenticateDisplay(asking: Asking): Promise<DisplayPrincipal | null>
  readonly displays: Displays
  readonly sso: Sso
  readonly invitations: Invitations
  readonly persons: Persons
  readonly smart: Smart
  /** Whether an app's access token opens anything now. */
  isAppTokenGood(token: string): Promise<boolean>
  /** The password. @throws Failure `sign-in-refused`, `sign-in-throttled` */
  signIn(shown: { email: string; password: string; remember: boolean }, peer: Peer): Promise<SignInStep>
  /** The code. @throws Failure `challenge-over`, `second-factor-refused`, `sign-in-throttled` */
  passSecondFactor(shown: { challenge: string | undefined; code: string }, peer: Peer): Promise<SignInStep>
  /** A challenge for a passkey alone, and the token of the cookie that belongs to it. @throws Failure `passkey-not-here` */
  beginPasskeySignIn(peer: Peer): Promise<{ options: BrowserOptions; token: string }>
  /** @throws Failure `passkey-refused`, `passkey-suspected` */
  signInByPasskey(
    shown: { token: string | undefined; passkey: PasskeyAnswer; remember: boolean },
    peer: Peer,
  ): Promise<SignInStep>
  /** A challenge for the second step. @throws Failure `challenge-over`, `passkey-none`, `passkey-not-here` */
  beginPasskeyStep(challenge: string | undefined, peer: Peer): Promise<BrowserOptions>
  /** @throws Failure `challenge-over`, `passkey-refused`, `passkey-suspected` */
  passPasskeyStep(shown: { challenge: string | undefined; passkey: PasskeyAnswer }, peer: Peer): Promise<SignInStep>
  /** The session that asks ends; the trail tells. */
  leave(person: StaffPrincipal, requestId: string): Promise<void>
  passkeys(user: string): Promise<Passkey[]>
  beginPasskey(asker: Asker, proof: Proof): Promise<BrowserOptions>
  confirmPasskey(asker: Asker, wanted: { name: string; passkey: z.output<typeof MadePasskey> }): Promise<KeptPasskey>
  removePasskey(asker: Asker, id: string, proof: Proof): Promise<void>
  /** A challenge for who is signed in, locked or not. */
  askPasskey(asker: Asker): Promise<BrowserOptions>
  /** Proof again, for five minutes. @returns the cookies of the session that goes on */
  stepUp(asker: Asker, proof: Proof): Promise<readonly string[]>
  /** Serves sign-in, sign-out and sessions (`/api/auth/*`), already checked for origin. */
  serveSignIn(request: Request): Promise<Response>
  /** Writes an act of its own (a sign-out, a refusal) to the trail. */
  recordAct(act: Act): Promise<void>
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
  /** They hold from the next request on. @throws Failure `user-not-found` */
  setRoles(tenant: string, user: string, roles: readonly Role[], by?: ActedBy): Promise<void>
  secondFactor(user: string): Promise<SecondFactorState>
  beginSecondFactor(asker: Asker, proof: Proof): Promise<OfferedSecret>
  /** @returns backup codes, shown once, and the cookies of the session that goes on */
  confirmSecondFactor(asker: Asker, code: string): Promise<{ codes: string[]; cookies: readonly string[] }>
  renewBackupCodes(asker: Asker, proof: Proof): Promise<string[]>
  giveUpSecondFactor(asker: Asker, proof: Proof): Promise<void>
  /** A lost one is taken off; the person's sessions end. @throws Failure `user-not-found` */
  resetSecondFactor(tenant: string, user: string, by?: ActedBy): Promise<void>
  /** For the demo and tests: a secret (base32) that is known beforehand. No route leads here. @throws Failure `second-factor-invalid` */
  presetSecondFactor(tenant: string, user: string, secret: string): Promise<void>
  /** @returns the cookies of the session that goes on */
  changePassword(asker: Asker, change: PasswordChange): Promise<readonly string[]>
  /** @throws Failure `session-locked` */
  keepAwake(person: StaffPrincipal): Promise<void>
  lock(person: StaffPrincipal, requestId: string): Promise<void>
  /** @returns the cookies of the session that goes on */
  unlock(asker: Asker, proof: Proof): Promise<readonly string[]>
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
  /** @throws Failure `setup-refused`, `password-weak`, `sign-in-throttled` */
  setUp(first: FirstAdministrator, ip: string): Promise<{ tenant: string; user: string }>
}

export async function makeIdentity(engine: Engine, options: StaffAuthOptions): Promise<Identity> {
  const staffAuth = await makeStaffAuth(engine, options)
  const secrets = await openSecrets(engine)
  const throttle = makeThrottle(engine, secrets, options.signInsPerMinute)
  const door: Door = { engine, staffAuth, secrets, throttle, publicOrigin: options.publicOrigin }
  const { idleLockMs, secureCookies } = options
  const displays = makeDisplays(engine)
  const sso = await makeSso(door, options.outbound)
  const invitations = await makeInvitations(door, options.mailsInvitations ?? false)
  const persons = makePersons(door)
  const smart = await makeSmart(engine, options.outbound)
  const asked: AuthenticateParts = {
    ...{ engine, staffAuth, idleLockMs },
    serviceByToken: makeServiceByToken(engine),
    appByToken: smart.appByToken,
    membershipBySession: makeMembershipBySession(engine),
  }
  const authenticateHeld: Identity['authenticateHeld'] = (asking, deviceByToken) =>
    authenticate(asked, deviceByToken, asking)
  return {
    ...{
      idleLockMs,
      secureCookies,
      publicOrigin: options.publicOrigin,
      authenticateHeld,
      displays,
      sso,
      invitations,
      persons,
      smart,
    },
    isAppTokenGood: (token) => isAppTokenGood(asked, token),
    authenticateDisplay: ({ cookie }) => displayByCookie(displays, secureCookies, cookie),
    async authenticate(asking, deviceByToken) {
      const principal = await authenticateHeld(asking, deviceByToken)
      if (principal?.kind === 'staff') assertFree(principal)
      return principal
    },
    signIn: (shown, peer) => signIn(door, shown, peer),
    passSecondFactor: (shown, peer) => passSecondFactor(door, shown, peer),
    setRoles: (tenant, user, roles, by) => setRoles(engine, tenant, user, roles, by),
    secondFactor: (user) => readSecondFactor(engine, user),
    beginSecondFactor: (asker, proof) => beginEnrolment(door, asker, proof),
    confirmSecondFactor: (asker, code) => confirmEnrolment(door, asker, code),
    renewBackupCodes: (asker, code) => renewBackupCodes(door, asker, code),
    giveUpSecondFactor: (asker, proof) => giveUpSecondFactor(door, asker, proof),
    resetSecondFactor: (tenant, user, by = byConsole) => removeSecondFactor(engine, { tenant, user, by }),
    presetSecondFactor: (tenant, user, secret) => presetSecret(engine, secrets, { tenant, user, secret }),
    changePassword: (asker, change) => changePassword(door, asker, change),
    keepAwake: (person) => keepAwake(engine, person),
    lock: (person, requestId) => lockSession(engine, person, requestId),
    unlock: (asker, proof) => unlock(door, asker, proof),
    beginPasskeySignIn: (peer) => beginPasskeySignIn(door, peer),
    signInByPasskey: (shown, peer) => signInByPasskey(door, shown, peer),
    beginPasskeyStep: (challenge, peer) => beginPasskeyStep(door, challenge, peer),
    passPasskeyStep: (shown, peer) => passPasskeyStep(door, shown, peer),
    leave: (person, requestId) => leaveSession(engine, person, requestId),
    passkeys: (user) => listPasskeys(engine, secrets, user),
    beginPasskey: (asker, proof) => beginPasskey(door, asker, proof),
    confirmPasskey: (asker, wanted) => confirmPasskey(door, asker, wanted),
    removePasskey: (asker, id, proof) => removePasskey(door, asker, id, proof),
    askPasskey: (asker) => askOwnPasskey(door, asker),
    stepUp: (asker, proof) => stepUp(door, asker, proof),
    serveSignIn: (request) => staffAuth.handler(request),
    recordAct: (act) => engine.db.asEngine((tx) => recordAct(tx, act)),
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
    async setUp(first, ip) {
      const attempt = { door: 'setup', ip, account: null, user: null } as const
      await throttle.take(attempt)
      const made = await setUp(engine, first)
      await throttle.settle(attempt)
      return made
    },
  }
}
