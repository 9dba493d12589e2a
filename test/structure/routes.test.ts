import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkOpenApi, roomsRoutes } from '../../scripts/openapi.ts'
import { ROOT } from '../../scripts/source/repository.ts'
import { ROOM_ORDER, ROOMS_DIR } from '../../scripts/source/rooms.ts'
import { readSource } from '../../scripts/source/source-file.ts'

const routes = roomsRoutes()
const named = routes.map((route) => [`${route.method} ${route.url}`, route] as const)

/** Open to anybody: each a decision. */
const PUBLIC = [
  'POST /api/auth/sign-in/email', // how a session begins; few attempts a minute
  'POST /api/auth/sign-in/second-factor', // its second step, with the challenge of the first
  'POST /api/auth/sign-in/second-factor/passkey/begin', // a challenge for it, with the challenge of the first
  'POST /api/auth/sign-in/second-factor/passkey', // the second step by a passkey
  'POST /api/auth/sign-in/passkey/begin', // a challenge for a passkey alone: names nobody
  'POST /api/auth/sign-in/passkey', // a session by a passkey alone
  'POST /api/auth/sign-out', // also for a session that has ended
  'GET /api/auth/get-session', // tells a page that nobody is signed in
  'POST /api/v1/display/open', // a wall screen, by its one-time link; few attempts a minute
  'GET /api/auth/sso', // the button of the sign-in page, of an installation with one organisation
  'GET /api/auth/sso/:slug/start', // to the organisation's identity provider; an unknown link leads back
  'GET /api/auth/sso/:slug/callback', // back from it, with a state that is good once, in one browser
  'POST /api/auth/sso/:slug/logout', // the provider ends a session, by a token that it signed
  'POST /api/auth/invitation/look', // by the token of an invitation; few attempts a minute
  'POST /api/auth/invitation/accept', // likewise
  'POST /api/auth/person/activate', // by a code on paper and a date of birth; few attempts a minute
  'POST /api/v1/devices/claim', // a device, by a one-time claim code; few a minute
  'POST /api/v1/devices/renew', // a device, by the certificate and key that it has
  'GET /fhir/R4/.well-known/smart-configuration', // what an app reads before it begins; the same for all
  'GET /fhir/R4/metadata', // what the server can do; the same for all
  'GET /.well-known/openid-configuration', // likewise, as OpenID Connect spells it
  'GET /.well-known/oauth-authorization-server', // likewise, as OAuth does
  'GET /oauth/jwks', // public halves of keys
  'POST /oauth/token', // an app, by its code, refresh token, secret or key
  'POST /oauth/introspect', // an app that proves itself, about its own tokens
  'POST /oauth/revoke', // an app ends its own tokens
  'POST /api/v1/setup', // the first administrator, by the link that the first start printed
]

/** At least these give or take what somebody may. */
const GIVING = [
  'POST /api/v1/users',
  'PUT /api/v1/users/:id/roles',
  'DELETE /api/v1/users/:id',
  'POST /api/v1/invitations',
  'POST /api/v1/invitations/:id/resend',
  'POST /api/v1/service-tokens',
  'PUT /api/v1/identity-provider',
]

/** What asks whether somebody may give that much, and the functions of identity's routes through which it is asked. */
function grantors(): string[] {
  const folder = join(ROOT, ROOMS_DIR, 'identity')
  const files = readdirSync(folder).filter((name) => name.endsWith('routes.ts'))
  const asked = /assertMayGrant(Roles|Scopes)\(/
  const functions = files.flatMap((file) =>
    readFileSync(join(folder, file), 'utf8').split(/^(?=(?:async )?function )/m),
  )
  const through = functions.filter((text) => /^(async )?function /.test(text) && !text.includes('defineRoute('))
  const own = through.filter((text) => asked.test(text)).map((text) => /function (\w+)/.exec(text)![1]!)
  return ['assertMayGrantRoles', 'assertMayGrantScopes', ...own]
}

describe('routes', () => {
  test('app serves those of every room that has some', async () => {
    const mounted = new Set(readSource(ROOT, `${ROOMS_DIR}/app/routes.ts`).calls.map(({ name }) => name))
    const forgotten: string[] = []
    for (const room of ROOM_ORDER.filter((each) => each !== 'app')) {
      const file = join(ROOT, ROOMS_DIR, room, 'routes.ts')
      if (!existsSync(file)) continue
      const exports = Object.keys((await import(pathToFileURL(file).href)) as object)
      forgotten.push(...exports.filter((name) => name.endsWith('Routes') && !mounted.has(name)))
    }
    expect(forgotten).toEqual([])
    expect(routes.length).toBeGreaterThan(30)
    expect(PUBLIC.filter((name) => !named.some(([each]) => each === name))).toEqual([])
  })

  test('each stands once, below /api/v1 or where the sign-in library, FHIR or OAuth wants it', () => {
    const names = named.map(([name]) => name)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
    expect(
      routes
        .map(({ url }) => url)
        .filter((url) => !/^\/(api\/(v1|auth)\/|fhir\/R4(\/|$)|oauth\/|\.well-known\/)/.test(url)),
    ).toEqual([])
  })

  test.each(named)('%s says who may ask, and what comes in its path', (name, route) => {
    expect(route.policy === 'public').toBe(PUBLIC.includes(name))
    const known = ['public', 'device', 'display', 'operator', 'signed-in', 'session', 'fhir']
    if (typeof route.policy === 'string') expect(known).toContain(route.policy)
    else expect(route.policy).toEqual({ action: expect.any(String), resource: expect.any(String) })
    const inPath = [...route.url.matchAll(/:(\w+)/g)].map(([, param]) => param)
    const shape = route.params && 'shape' in route.params ? Object.keys(route.params.shape as object) : []
    expect(shape.sort()).toEqual(inPath.sort())
    expect(Object.keys(route.response).length).toBeGreaterThan(0)
    if (route.method === 'GET') expect([route.body, route.bytes]).toEqual([undefined, undefined])
  })

  test('whatever gives roles or scopes, or changes who holds them, wants a fresh proof', () => {
    const leading = grantors()
    expect(leading).toContain('assertNotAbove')
    const giving = named.filter(([, { handler }]) => leading.some((name) => String(handler).includes(name)))
    expect(giving.map(([name]) => name)).toEqual(expect.arrayContaining(GIVING))
    expect(giving.filter(([, { stepUp }]) => stepUp !== true).map(([name]) => name)).toEqual([])
  })

  test('whatever makes a credential of a device, or ends one, wants a fresh proof', () => {
    const makes = named.filter(
      ([, { policy }]) =>
        typeof policy === 'object' &&
        (policy.resource === 'certificate' || policy.resource === 'credential') &&
        policy.action !== 'read',
    )
    expect(makes.length).toBeGreaterThan(4)
    // A code that is void opens nothing: to take one back needs no haste of finding a telephone.
    const without = makes.filter(([, { stepUp }]) => stepUp !== true).map(([name]) => name)
    expect(without).toEqual(['DELETE /api/v1/devices/:id/claim-codes/:claim'])
  })

  test('docs/openapi tells of them as they are', () => expect(checkOpenApi()).toBeNull())
})
