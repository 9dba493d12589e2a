/** A whole HTTP shell on a fresh database, for tests: real engine parts, real sign-in, scripted time, everything it says kept. */
import type { OfferedSecret, Role, Scope, SignedIn } from '@careloop/contract'
import { type RecordedEntry, readTrail } from '../../audit/index.ts'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import type { Engine } from '../../engine/index.ts'
import { testEngine } from '../../engine/testing/index.ts'
import { makeWatch } from '../../engine/watch/watch.ts'
import { currentCode, type DeviceSpeaker, type Identity, makeIdentity, type Route } from '../../identity/index.ts'
import { identityRoutes } from '../../identity/routes.ts'
import { asOwnService } from '../../subjects/fixtures.ts'
import { type ApiParts, type ApiServer, makeApiServer } from '../index.ts'

export interface TestShell {
  readonly server: ApiServer
  readonly engine: Engine
  readonly identity: Identity
  readonly clock: ManualClock
  /** A tenant with nobody in it. */
  readonly tenant: string
  /** Every line that was logged. */
  readonly lines: string[]
  readonly devices: Map<string, DeviceSpeaker>
  /** Makes a member of staff and signs them in. @returns the cookie header */
  signIn(roles: readonly Role[], tenant?: string): Promise<Signed>
  /** Of a program of the organisation's own: it sees patients without their consent. */
  /** Proves a second factor just now, after setting one up for who has none: for routes that want it. @returns the cookie that goes on */
  prove(signed: Signed): Promise<Signed>
  token(scopes: readonly Scope[], tenant?: string): Promise<string>
  /** The tenant's audit trail. */
  trail(): Promise<readonly RecordedEntry[]>
  close(): Promise<void>
}

export interface Signed {
  readonly id: string
  readonly email: string
  readonly password: string
  readonly cookie: string
  /** Of the authenticator app, for roles that need one. */
  readonly secret?: string
}

export type ShellOptions = Partial<Omit<ApiParts, 'engine' | 'identity' | 'routes' | 'deviceByToken'>> & {
  routes?(identity: Identity, engine: Engine): readonly Route[]
  readonly signInsPerMinute?: number
  readonly secureCookies?: boolean
  /** Networks that identity providers may stand in. */
  readonly allowPrivate?: readonly string[]
  readonly mailsInvitations?: boolean
  /** Default a week: tests that move the clock are not about the lock. */
  readonly idleLockMs?: number
}

export async function testShell(options: ShellOptions = {}): Promise<TestShell> {
  const lines: string[] = []
  const watch = makeWatch({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } })
  const clock = makeManualClock(Date.now()) // the sign-in library keeps its own, real time
  const { engine, stop } = await testEngine({ clock, watch })
  const { signInsPerMinute = 1_000, secureCookies = false, idleLockMs = 7 * 86_400_000, routes, ...rest } = options
  const identity = await makeIdentity(engine, {
    ...{ secureCookies, signInsPerMinute, idleLockMs, publicOrigin: options.publicOrigin },
    ...{ outbound: { allowPrivate: options.allowPrivate ?? [] }, mailsInvitations: options.mailsInvitations },
  })
  const devices = new Map<string, DeviceSpeaker>()
  const server = await makeApiServer({
    readiness: [],
    version: '0.0.0-test',
    ...rest,
    engine,
    identity,
    routes: [...identityRoutes(identity), ...(routes?.(identity, engine) ?? [])],
    deviceByToken: async (sha256) => devices.get(sha256.toString('hex')) ?? null,
  })
  const tenant = await identity.createTenant('Ward 3')
  return {
    server,
    engine,
    identity,
    clock,
    tenant,
    lines,
    devices,
    signIn: (roles, of = tenant) => signIn({ server, identity, clock }, of, roles),
    prove: (signed) => prove({ server, clock }, signed),
    async token(scopes, of = tenant) {
      const made = await identity.createServiceToken({ tenant: of, name: 'test', scopes })
      await asOwnService(engine, of, made.id)
      return `Bearer ${made.token}`
    },
    trail: () => engine.db.asTenant(tenant, (tx) => readTrail(tx, {})),
    async close() {
      await server.close()
      await stop()
    },
  }
}

let people = 0

async function signIn(
  { server, identity, clock }: Pick<TestShell, 'server' | 'identity' | 'clock'>,
  tenant: string,
  roles: readonly Role[],
): Promise<Signed> {
  people += 1
  const email = `person${people}@ward.example`
  const password = `quiet lamps over water ${people}`
  const { id } = await identity.createUser({ tenant, email, displayName: `Person ${people}`, roles, password })
  const answered = await server.inject({ method: 'POST', url: '/api/auth/sign-in/email', payload: { email, password } })
  if (answered.statusCode !== 200) throw new Error(`sign-in answered ${answered.statusCode} ${answered.body}`)
  const cookie = cookieOf(answered.headers['set-cookie'])
  if (answered.json<SignedIn>().next === 'signed-in') return { id, email, password, cookie }
  return { id, email, password, ...(await enrol(server, cookie, clock.now())) }
}

async function prove({ server, clock }: Pick<TestShell, 'server' | 'clock'>, signed: Signed): Promise<Signed> {
  if (signed.secret === undefined) {
    return { ...signed, ...(await enrol(server, signed.cookie, clock.now(), signed.password)) }
  }
  const headers = { cookie: signed.cookie, 'sec-fetch-site': 'same-origin' }
  // A code is good once: right after another one was used, the next one is taken already.
  for (const later of [0, 1]) {
    const payload = { code: currentCode(signed.secret, clock.now(), later) }
    const answered = await server.inject({ method: 'POST', url: '/api/v1/session/step-up', payload, headers })
    if (answered.statusCode === 204) return { ...signed, cookie: cookieOf(answered.headers['set-cookie']) }
  }
  throw new Error('no second factor could be proved: two codes were used within half a minute')
}

/** As somebody does whose role demands a second factor; another gives their password besides. @returns the secret of their app, and the cookie that goes on */
export async function enrol(server: ApiServer, cookie: string, now: number, password?: string) {
  const post = async (url: string, payload: object) => {
    const headers = { cookie, 'sec-fetch-site': 'same-origin' }
    const answered = await server.inject({ method: 'POST', url, payload, headers })
    if (answered.statusCode !== 200) throw new Error(`${url} answered ${answered.statusCode} ${answered.body}`)
    return answered
  }
  const { secret } = (
    await post('/api/v1/second-factor/begin', password === undefined ? {} : { password })
  ).json<OfferedSecret>()
  const confirmed = await post('/api/v1/second-factor/confirm', { code: currentCode(secret, now) })
  return { secret, cookie: cookieOf(confirmed.headers['set-cookie']) }
}

/** What a browser sends back of what was set. */
export const cookieOf = (set: string | readonly string[] | undefined): string =>
  [set ?? []]
    .flat()
    .map((cookie) => cookie.split(';', 1)[0]!)
    .join('; ')
