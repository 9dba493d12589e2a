/** A whole HTTP shell on a fresh database, for tests: real engine parts, real sign-in, scripted time, everything it says kept. */
import type { Role, Scope } from '@careloop/contract'
import pg from 'pg'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { makeDb } from '../../engine/db/db.ts'
import { makeIds } from '../../engine/ids/ids.ts'
import type { Engine } from '../../engine/index.ts'
import { makeKeys } from '../../engine/keys/keys.ts'
import { masterKeysInMemory } from '../../engine/keys/master-key.ts'
import { makeReadingLog } from '../../engine/log/reading-log.ts'
import { testDatabase } from '../../engine/testing/index.ts'
import { makeWatch } from '../../engine/watch/watch.ts'
import { type DeviceSpeaker, type Identity, makeIdentity, type Route } from '../../identity/index.ts'
import { identityRoutes } from '../../identity/routes.ts'
import { type ApiParts, type ApiServer, type Denied, makeApiServer } from '../index.ts'

export interface TestShell {
  readonly server: ApiServer
  readonly engine: Engine
  readonly identity: Identity
  readonly clock: ManualClock
  /** A tenant with nobody in it. */
  readonly tenant: string
  readonly denied: Denied[]
  /** Every line that was logged. */
  readonly lines: string[]
  readonly devices: Map<string, DeviceSpeaker>
  /** Makes a member of staff and signs them in. @returns the cookie header */
  signIn(roles: readonly Role[], tenant?: string): Promise<Signed>
  token(scopes: readonly Scope[], tenant?: string): Promise<string>
  close(): Promise<void>
}

export interface Signed {
  readonly id: string
  readonly email: string
  readonly password: string
  readonly cookie: string
}

export type ShellOptions = Partial<Omit<ApiParts, 'engine' | 'identity' | 'routes' | 'deviceByToken'>> & {
  routes?(identity: Identity, engine: Engine): readonly Route[]
  readonly signInsPerMinute?: number
}

export async function testShell(options: ShellOptions = {}): Promise<TestShell> {
  const database = await testDatabase()
  const lines: string[] = []
  const { engine, clock, close } = makeTestEngine(database.url, lines)
  const { signInsPerMinute = 1_000, routes, ...rest } = options
  const identity = await makeIdentity(engine, { secureCookies: false, signInsPerMinute })
  const denied: Denied[] = []
  const devices = new Map<string, DeviceSpeaker>()
  const server = await makeApiServer({
    readiness: [],
    version: '0.0.0-test',
    onDenied: async (refused) => void denied.push(refused),
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
    denied,
    lines,
    devices,
    signIn: (roles, of = tenant) => signIn(server, identity, of, roles),
    async token(scopes, of = tenant) {
      const made = await identity.createServiceToken({ tenant: of, name: 'test', scopes, createdBy: 'test' })
      return `Bearer ${made.token}`
    },
    async close() {
      await server.close()
      await close()
      await database.drop()
    },
  }
}

function makeTestEngine(url: string, lines: string[]) {
  const pool = new pg.Pool({ connectionString: url, max: 8 })
  pool.on('error', () => {}) // the database is dropped under idle connections at the end
  const clock = makeManualClock(Date.now()) // the sign-in library keeps its own, real time
  const watch = makeWatch({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } })
  const ids = makeIds(clock)
  const keys = makeKeys({ pool, masters: masterKeysInMemory(Buffer.alloc(32, 9)), ids })
  const log = makeReadingLog({ pool, connect: { connectionString: url }, clock, ids, keys, watch })
  const db = makeDb({ pool, watch, log: () => log })
  const engine = { db, log, clock, ids, keys, watch } as unknown as Engine
  const close = async () => {
    await log.close()
    await db.close()
    await pool.end()
  }
  return { engine, clock, close }
}

let people = 0

async function signIn(server: ApiServer, identity: Identity, tenant: string, roles: readonly Role[]): Promise<Signed> {
  people += 1
  const email = `person${people}@ward.example`
  const password = `quiet lamps over water ${people}`
  const { id } = await identity.createUser({ tenant, email, displayName: `Person ${people}`, roles, password })
  const answered = await server.inject({ method: 'POST', url: '/api/auth/sign-in/email', payload: { email, password } })
  if (answered.statusCode !== 200) throw new Error(`sign-in answered ${answered.statusCode} ${answered.body}`)
  return { id, email, password, cookie: cookieOf(answered.headers['set-cookie']) }
}

/** What a browser sends back of what was set. */
export const cookieOf = (set: string | readonly string[] | undefined): string =>
  [set ?? []]
    .flat()
    .map((cookie) => cookie.split(';', 1)[0]!)
    .join('; ')
