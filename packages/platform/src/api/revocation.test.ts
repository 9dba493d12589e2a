/** Two processes on one database: what is taken away on one opens nothing on the other, and live pages there end by themselves. */
import type { Role } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import type { Engine } from '../engine/index.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { type Identity, makeIdentity } from '../identity/index.ts'
import { identityRoutes } from '../identity/routes.ts'
import { type ApiServer, makeApiServer } from './index.ts'
import { cookieOf } from './testing/test-shell.ts'

interface Process {
  readonly identity: Identity
  readonly server: ApiServer
  readonly url: string
}

let ground: TestEngine
let here: Process
let there: Process
let tenant: string
// It stands still: nothing that follows is found by a heartbeat.
const clock = makeManualClock(Date.now())

beforeAll(async () => {
  ground = await testEngine({ clock })
  tenant = await ground.tenant()
  here = await startOn(ground.engine)
  there = await startOn(ground.another({ clock }).engine)
})
afterAll(async () => {
  await Promise.all([here?.server.close(), there?.server.close()])
  await ground?.stop()
})

async function startOn(engine: Engine): Promise<Process> {
  const identity = await makeIdentity(engine, { secureCookies: false, signInsPerMinute: 1000, idleLockMs: 900_000 })
  const server = await makeApiServer({
    ...{ engine, identity, readiness: [], version: '0.0.0-test', deviceByToken: async () => null },
    routes: identityRoutes(identity),
  })
  return { identity, server, url: await server.listen(0, '127.0.0.1') }
}

let people = 0
const password = 'quiet lamps over water'

async function signIn(email: string): Promise<string> {
  const payload = { email, password }
  const answered = await here.server.inject({ method: 'POST', url: '/api/auth/sign-in/email', payload })
  return cookieOf(answered.headers['set-cookie'])
}

async function person(roles: readonly Role[] = ['nurse']) {
  people += 1
  const email = `person${people}@ward.example`
  const { id } = await here.identity.createUser({ tenant, email, displayName: `Person ${people}`, roles, password })
  return { id, email, cookie: await signIn(email) }
}

const ask = (method: 'POST' | 'DELETE', url: string, cookie: string, payload?: object) =>
  here.server.inject({
    ...{ method, url, headers: { cookie, 'sec-fetch-site': 'same-origin' } },
    ...(payload === undefined ? {} : { payload }),
  })

/** A page on the other server; `closed` resolves when its stream ends. */
async function watchThere(headers: Record<string, string>): Promise<{ readonly closed: Promise<void> }> {
  const answered = await fetch(`${there.url}/api/v1/live`, { headers })
  const reader = answered.body!.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader.read()).value).toContain('event: ready')
  const readToEnd = async () => {
    for (;;) if ((await reader.read()).done) return
  }
  return { closed: readToEnd() }
}

const statusThere = async (cookie: string) =>
  (await there.server.inject({ url: '/api/v1/me', headers: { cookie } })).statusCode

type Someone = Awaited<ReturnType<typeof person>>
const ways: readonly (readonly [string, number, (who: Someone) => Promise<unknown>])[] = [
  ['signing out', 401, ({ cookie }) => ask('POST', '/api/auth/sign-out', cookie)],
  ['locking', 423, ({ cookie }) => ask('POST', '/api/v1/session/lock', cookie)],
  ['the end of the membership', 401, ({ id }) => here.identity.endMembership(tenant, id)],
  ['another role', 200, ({ id }) => here.identity.setRoles(tenant, id, ['physician'])],
  ['a new password by an administrator', 401, ({ email }) => here.identity.renewPassword(tenant, email)],
  ['a reset of the second factor', 401, ({ id }) => here.identity.resetSecondFactor(tenant, id)],
  [
    'ending the session from another one',
    401,
    async ({ email, cookie }) => {
      const { id } = (await here.server.inject({ url: '/api/v1/sessions', headers: { cookie } })).json().items[0]
      expect((await ask('DELETE', `/api/v1/sessions/${id}`, await signIn(email))).statusCode).toBe(204)
    },
  ],
  [
    'a change of the password in another session',
    401,
    async ({ email }) => {
      const change = { currentPassword: password, newPassword: 'seven boats under ice' }
      expect((await ask('POST', '/api/auth/change-password', await signIn(email), change)).statusCode).toBe(204)
    },
  ],
]

test.each(ways)('revocation > %s is heard at once on every server', async (_, status, act) => {
  const who = await person()
  const other = await person()
  const [watched, bystander] = [await watchThere({ cookie: who.cookie }), await watchThere({ cookie: other.cookie })]
  expect(await statusThere(who.cookie)).toBe(200)
  await act(who)
  expect(await statusThere(who.cookie)).toBe(status)
  await watched.closed
  // Somebody else's page goes on.
  expect(await Promise.race([bystander.closed.then(() => 'ended'), Promise.resolve('open')])).toBe('open')
})

test('revocation > of a service token is heard at once on every server', async () => {
  const made = await here.identity.createServiceToken({ tenant, name: 'page', scopes: ['live:read'] })
  const page = await watchThere({ authorization: `Bearer ${made.token}` })
  await here.identity.revokeServiceToken(tenant, made.id)
  await page.closed
})
