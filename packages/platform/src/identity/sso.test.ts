import type { IdentityProvider, Me, OwnSecondFactor, SetIdentityProvider } from '@careloop/contract'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cookieOf, type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { callbackPath } from './sso.ts'
import {
  challengeOf,
  client,
  type LyingProvider,
  lyingProvider,
  type Person,
  realProvider,
  type TestProvider,
} from './testing/identity-provider.ts'
import { currentCode } from './totp.ts'

const origin = 'http://127.0.0.1:4711'
const anna: Person = {
  ...{ sub: 'anna-1', email: 'anna@st-anna.example', emailVerified: true, name: 'Anna Ward' },
  groups: ['ward-nurses', 'choir'],
}

let shell: TestShell
let admin: Signed
let real: TestProvider
let liar: LyingProvider

beforeAll(async () => {
  shell = await testShell({ publicOrigin: origin, allowPrivate: ['127.0.0.0/8'] })
  admin = await shell.signIn(['administrator'])
  real = await realProvider(`${origin}${callbackPath('st-anna')}`, `${origin}/api/auth/sso/st-anna/logout`, anna)
  liar = await lyingProvider()
})
afterAll(async () => {
  await shell.close()
  await Promise.all([real.close(), liar.close()])
})

const settings = (over: Partial<SetIdentityProvider> = {}): Partial<SetIdentityProvider> => ({
  ...{ slug: 'st-anna', name: 'St. Anna', issuer: real.issuer, clientId: client.id, clientSecret: client.secret },
  roleMap: [
    { group: 'ward-nurses', roles: ['nurse'] },
    { group: 'doctors', roles: ['physician'] },
    { group: 'it', roles: ['administrator'] },
  ],
  ...over,
})

const put = (payload: object, cookie = admin.cookie) =>
  shell.server.inject({
    ...{ method: 'PUT', url: '/api/v1/identity-provider', payload },
    headers: { cookie, 'sec-fetch-site': 'same-origin' },
  })

async function setUp(over: Partial<SetIdentityProvider> = {}): Promise<void> {
  const answered = await put(settings(over))
  expect(answered.body).toBe('')
  expect(answered.statusCode).toBe(204)
}

const get = (url: string, cookie = '') => shell.server.inject({ method: 'GET', url, headers: { cookie } })

async function start(slug = 'st-anna', back?: string) {
  const query = back === undefined ? '' : `?back=${encodeURIComponent(back)}`
  const answered = await get(`/api/auth/sso/${slug}/start${query}`)
  expect(answered.statusCode).toBe(303)
  return { location: String(answered.headers.location), cookie: cookieOf(answered.headers['set-cookie']) }
}

/** Back to us, as the browser that has this cookie. */
async function back(url: string, cookie: string) {
  const answered = await get(url.replace(origin, ''), cookie)
  expect(answered.statusCode).toBe(303)
  return { location: String(answered.headers.location), cookie: cookieOf(answered.headers['set-cookie']) }
}

async function signInAs(person: Person, returnTo?: string) {
  real.person = person
  const began = await start('st-anna', returnTo)
  return back(await real.walk(began.location), began.cookie)
}

const me = async (cookie: string) => {
  const answered = await get('/api/v1/me', cookie)
  return answered.statusCode === 200 ? answered.json<Me>() : answered.statusCode
}

describe('sign-in at a real identity provider', () => {
  beforeEach(() => setUp())

  test('makes an account on arrival, with the roles of its groups and no others', async () => {
    const arrived = await signInAs(anna, '/worklist')
    expect(arrived.location).toBe('/worklist')
    expect(await me(arrived.cookie)).toMatchObject({ displayName: 'Anna Ward', roles: ['nurse'] })
    expect((await shell.trail()).some(({ action, resource }) => action === 'create' && resource === 'user')).toBe(true)
  })

  test('a group that was lost takes its role away at the next sign-in; the last one ends the membership and every session', async () => {
    const person = { ...anna, sub: 'bea-1', email: 'bea@st-anna.example', groups: ['ward-nurses', 'doctors'] }
    const first = await signInAs(person)
    expect(await me(first.cookie)).toMatchObject({ roles: ['nurse', 'physician'] })
    const second = await signInAs({ ...person, groups: ['doctors'] })
    expect(await me(second.cookie)).toMatchObject({ roles: ['physician'] })
    expect(await me(first.cookie)).toMatchObject({ roles: ['physician'] })
    expect((await signInAs({ ...person, groups: ['choir'] })).location).toBe('/sign-in?sso=no-role')
    expect([await me(first.cookie), await me(second.cookie)]).toEqual([401, 401])
    const again = await signInAs({ ...person, groups: ['doctors'] })
    expect(await me(again.cookie)).toMatchObject({ roles: ['physician'] })
  })

  test('whose membership an administrator ended does not come back by a group', async () => {
    const person = { ...anna, sub: 'carl-1', email: 'carl@st-anna.example' }
    const arrived = await signInAs(person)
    const { id } = (await me(arrived.cookie)) as Me
    await shell.identity.endMembership(shell.tenant, id)
    expect((await signInAs(person)).location).toBe('/sign-in?sso=refused')
    // Invited anew they go on under their account, now with a password too.
    const by = { actor: 'cli' }
    const wanted = { email: person.email, roles: ['nurse'] } as const
    const { token } = await shell.identity.invitations.invite(shell.tenant, wanted, by)
    const accepting = { token, displayName: 'Carl Again', password: 'violet tractors hum at noon' }
    await shell.identity.invitations.accept(accepting, { ip: '192.0.2.1', requestId: 'r' })
    const payload = { email: person.email, password: accepting.password }
    const signedIn = await shell.server.inject({ method: 'POST', url: '/api/auth/sign-in/email', payload })
    expect(await me(cookieOf(signedIn.headers['set-cookie']))).toMatchObject({ id, displayName: 'Carl Again' })
    // The account is theirs who was given its address: the one at the provider is linked anew, or stays out.
    expect((await signInAs(person)).location).toBe('/sign-in?sso=refused')
    await setUp({ linkExisting: true })
    expect((await signInAs(person)).location).toBe('/')
  })

  test('whose membership an administrator ended does not come back by a group, though groups had ended it once before', async () => {
    await setUp({ linkExisting: true })
    const person = { ...anna, sub: 'cleo-1', email: 'cleo@st-anna.example' }
    const { id } = (await me((await signInAs(person)).cookie)) as Me
    expect((await signInAs({ ...person, groups: [] })).location).toBe('/sign-in?sso=no-role')
    const again = { tenant: shell.tenant, email: person.email, displayName: 'Cleo', roles: ['nurse'] } as const
    expect(await shell.identity.createUser(again)).toMatchObject({ id })
    await shell.identity.endMembership(shell.tenant, id)
    expect((await signInAs(person)).location).toBe('/sign-in?sso=refused')
    // Nor under another address, as somebody new.
    expect((await signInAs({ ...person, email: 'cleo.other@st-anna.example' })).location).toBe('/sign-in?sso=refused')
  })

  test('an address that is given to another takes nothing of the one before along: no passkey, app, code or known place', async () => {
    const before = await shell.prove(await shell.signIn(['nurse']))
    await setUp({ linkExisting: true })
    const claiming = { ...anna, sub: 'ed-1', email: before.email }
    expect((await signInAs(claiming)).location).toBe('/sign-in?sso=code&back=%2F')
    const { pool } = shell.engine.db
    await pool.query(
      `insert into auth.passkey (id, user_id, credential_id, public_key, counter, transports, name, is_synced, created_at)
       values (gen_random_uuid(), $1, 'c', 'k', 0, '{}', 'n', false, now())`,
      [before.id],
    )
    await shell.identity.endMembership(shell.tenant, before.id)
    const password = 'violet tractors hum at noon'
    const after = { tenant: shell.tenant, email: before.email, displayName: 'Eve', roles: ['nurse'], password } as const
    expect(await shell.identity.createUser(after)).toMatchObject({ id: before.id })
    for (const table of ['passkey', 'second_factor', 'backup_code', 'known_address'])
      expect([table, (await pool.query(`select from auth.${table} where user_id = $1`, [before.id])).rowCount]).toEqual(
        [...[table, 0]],
      )
    const payload = { email: before.email, password }
    const signedIn = await shell.server.inject({ method: 'POST', url: '/api/auth/sign-in/email', payload })
    expect(signedIn.json()).toMatchObject({ next: 'signed-in' })
    // The one before is at the provider still, in the group, with an address of their own: they are nobody here.
    expect((await signInAs({ ...claiming, email: 'ed.private@st-anna.example' })).location).toBe('/sign-in?sso=refused')
  })

  test('a group that brings a role with a second factor ends the sessions that began without one', async () => {
    const person = { ...anna, sub: 'fay-1', email: 'fay@st-anna.example' }
    const first = await signInAs(person)
    expect(await me(first.cookie)).toMatchObject({ roles: ['nurse'] })
    const second = await signInAs({ ...person, groups: ['ward-nurses', 'it'] })
    expect(second.location).toBe('/second-factor?back=%2F')
    // Found at an open desk it would set up a second factor without being asked for anything.
    expect(await me(first.cookie)).toBe(401)
    expect(await me(second.cookie)).toBe(403)
    // Likewise of an account that was here before and is linked.
    const nurse = await shell.signIn(['nurse'])
    await setUp({ linkExisting: true })
    const linked = { ...anna, sub: 'fay-2', email: nurse.email, groups: ['it'] }
    expect((await signInAs(linked)).location).toBe('/second-factor?back=%2F')
    expect(await me(nurse.cookie)).toBe(401)
  })

  test('nobody without a mapped group, or of another domain, gets in', async () => {
    expect((await signInAs({ ...anna, sub: 'dora', email: 'dora@st-anna.example', groups: [] })).location).toBe(
      '/sign-in?sso=no-role',
    )
    await setUp({ emailDomains: ['st-anna.example'] })
    const stranger = { ...anna, sub: 'evil', email: 'evil@elsewhere.example' }
    expect((await signInAs(stranger)).location).toBe('/sign-in?sso=refused')
    expect((await signInAs({ ...stranger, email: 'evil@elsewhere.example.st-anna.example.org' })).location).toBe(
      '/sign-in?sso=refused',
    )
  })

  test('a claim takes no account over: linked only when verified, allowed, and of this organisation alone', async () => {
    const nurse = await shell.signIn(['nurse'])
    const claiming = { ...anna, sub: 'claimer', email: nurse.email }
    expect((await signInAs(claiming)).location).toBe('/sign-in?sso=refused')
    await setUp({ linkExisting: true })
    expect((await signInAs({ ...claiming, emailVerified: false })).location).toBe('/sign-in?sso=refused')
    const other = await shell.identity.createTenant('Elsewhere')
    const elsewhere = await shell.signIn(['nurse'], other)
    expect((await signInAs({ ...claiming, sub: 'claimer-2', email: elsewhere.email })).location).toBe(
      '/sign-in?sso=refused',
    )
    const linked = await signInAs(claiming)
    expect(await me(linked.cookie)).toMatchObject({ id: nurse.id })
    // Somebody else at the provider, of the same e-mail, is not that person.
    expect((await signInAs({ ...claiming, sub: 'claimer-3' })).location).toBe('/sign-in?sso=refused')
  })

  test('the provider’s second factor counts when an administrator has named it, else Careloop asks for its own', async () => {
    const head = { ...anna, sub: 'head', email: 'head@st-anna.example', groups: ['it'] }
    const without = await signInAs(head)
    expect(without.location).toBe('/second-factor?back=%2F')
    expect(await me(without.cookie)).toBe(403)
    await setUp({ mfaAcr: ['two-factors'] })
    const withIt = await signInAs(head)
    expect(withIt.location).toBe('/')
    expect(await me(withIt.cookie)).toMatchObject({ roles: ['administrator'] })
  })

  describe('proof again before grave acts, of who has the provider’s second factor only', () => {
    const token = { name: 'EHR', scopes: ['series:read'] }
    const post = (url: string, cookie: string, payload: object = {}) =>
      shell.server.inject({ method: 'POST', url, payload, headers: { cookie, 'sec-fetch-site': 'same-origin' } })
    const makeToken = (cookie: string) => post('/api/v1/service-tokens', cookie, token)
    const head = { ...anna, sub: 'head-2', email: 'head2@st-anna.example', groups: ['it'] }
    const provableAt = async (cookie: string) =>
      (await get('/api/v1/second-factor', cookie)).json<OwnSecondFactor>().atProvider
    const anHourLater = (id: string) =>
      shell.engine.db.pool.query(
        `update auth.session set proved_at = proved_at - interval '1 hour' where user_id = $1`,
        [id],
      )
    const prove = async (cookie: string, person: Person) => {
      real.person = person
      const began = await post('/api/v1/session/step-up/provider', cookie)
      expect(began.statusCode).toBe(200)
      const { url } = began.json<{ url: string }>()
      const asked = new URL(url).searchParams
      expect([asked.get('prompt'), asked.get('max_age')]).toEqual(['login', '0'])
      return back(await real.walk(url), `${cookieOf(began.headers['set-cookie'])}; ${cookie}`)
    }

    test('counts for five minutes from when the provider saw it; then it is given anew there, and opens this session only', async () => {
      await setUp({ mfaAcr: ['two-factors'] })
      const arrived = await signInAs(head)
      const { id } = (await me(arrived.cookie)) as Me
      expect((await makeToken(arrived.cookie)).statusCode).toBe(201)
      const elsewhere = await signInAs(head)
      await anHourLater(id)
      expect((await makeToken(arrived.cookie)).body).toContain('step-up-without-factor')
      expect(await provableAt(arrived.cookie)).toBe('St. Anna')
      const proved = await prove(arrived.cookie, head)
      expect(proved.location).toBe('/proved')
      expect((await makeToken(proved.cookie)).statusCode).toBe(201)
      // The cookie of before the proof opens nothing; another session of theirs is not proved by it.
      expect(await me(arrived.cookie)).toBe(401)
      expect((await makeToken(elsewhere.cookie)).body).toContain('step-up-without-factor')
      const told = (await shell.trail()).filter(
        ({ resource, resourceId }) => resource === 'second-factor' && resourceId === id,
      )
      expect(told.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(['login success'])
    })

    test('is no proof by somebody else there, nor where no second factor of theirs is named', async () => {
      await setUp({ mfaAcr: ['two-factors'] })
      const arrived = await signInAs(head)
      await anHourLater(((await me(arrived.cookie)) as Me).id)
      const other = await prove(arrived.cookie, { ...head, sub: 'somebody-else', email: 'else@st-anna.example' })
      expect(other.location).toBe('/proved?failed=refused')
      expect((await makeToken(arrived.cookie)).body).toContain('step-up-without-factor')
      await setUp()
      expect(await provableAt(arrived.cookie)).toBeNull()
      expect((await post('/api/v1/session/step-up/provider', arrived.cookie)).statusCode).toBe(404)
      // Who came in with a password proves nothing there.
      expect(await provableAt(admin.cookie)).toBeNull()
      expect((await post('/api/v1/session/step-up/provider', admin.cookie)).statusCode).toBe(404)
    })
  })

  test('who has a second factor here is asked for it before there is a session', async () => {
    const person = await shell.signIn(['administrator'])
    await setUp({ linkExisting: true })
    const arrived = await signInAs({ ...anna, sub: 'two', email: person.email, groups: ['it'] })
    expect(arrived.location).toBe('/sign-in?sso=code&back=%2F')
    expect(await me(arrived.cookie)).toBe(401)
  })

  test('signing out here leads to the provider’s sign-out', async () => {
    const arrived = await signInAs(anna)
    const answered = await shell.server.inject({
      ...{ method: 'POST', url: '/api/auth/sso/leave', payload: {} },
      headers: { cookie: arrived.cookie, 'sec-fetch-site': 'same-origin' },
    })
    const url = new URL(answered.json<{ url: string }>().url)
    expect(url.origin).toBe(real.issuer)
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe(`${origin}/sign-in`)
  })

  test('an administrator tries the settings and nobody is signed in', async () => {
    real.person = anna
    const answered = await shell.server.inject({
      ...{ method: 'POST', url: '/api/v1/identity-provider/trial', payload: {} },
      headers: { cookie: admin.cookie, 'sec-fetch-site': 'same-origin' },
    })
    const cookie = cookieOf(answered.headers['set-cookie'])
    const tried = await back(await real.walk(answered.json<{ url: string }>().url), cookie)
    expect(tried.location).toBe('/identity-provider?tried=nurse&mfa=no')
    expect(await me(tried.cookie)).toBe(401)
  })

  test('what is read back holds no secret, and the database holds it sealed', async () => {
    const answered = await get('/api/v1/identity-provider', admin.cookie)
    expect(answered.json<{ provider: IdentityProvider }>().provider).toMatchObject({
      ...{ hasSecret: true, redirectUri: `${origin}${callbackPath('st-anna')}` },
    })
    expect(answered.body).not.toContain(client.secret)
    const { rows } = await shell.engine.db.pool.query('select client_secret from auth.identity_provider')
    expect((rows[0] as { client_secret: Buffer }).client_secret.toString('latin1')).not.toContain(client.secret)
  })

  test('only an administrator sets it up, never to an address inside that nobody allowed', async () => {
    const nurse = await shell.signIn(['nurse'])
    expect((await put(settings(), nurse.cookie)).statusCode).toBe(403)
    for (const issuer of ['https://169.254.169.254/', 'https://10.0.0.1/', 'https://[::ffff:10.0.0.1]/'])
      expect((await put(settings({ issuer }))).body).toContain('outbound-url-refused')
    expect((await put(settings({ issuer: `${real.issuer}/.well-known/openid-configuration` }))).body).toContain(
      'identity-provider-unfit',
    )
  })
})

describe('attacks on the way back', () => {
  beforeEach(async () => {
    await setUp({ issuer: liar.issuer })
    liar.lies = {}
  })

  /** A sign-in that the lying provider answers. @returns where the browser is sent */
  async function lied(query: Record<string, string> = {}, cookie?: string) {
    const began = await start()
    const asked = new URL(began.location)
    liar.nonce = asked.searchParams.get('nonce')!
    const answer = { code: 'c0de', state: asked.searchParams.get('state')!, iss: liar.issuer, ...query }
    const url = `${callbackPath('st-anna')}?${new URLSearchParams(answer)}`
    return { ...(await back(url, cookie ?? began.cookie)), url, began }
  }

  test('when it does not lie, it signs in: so what is refused below is refused for the lie', async () => {
    const { location, cookie, began } = await lied()
    expect(location).toBe('/')
    expect(await me(cookie)).toMatchObject({ roles: ['nurse'] })
    const challenge = new URL(began.location).searchParams.get('code_challenge')
    expect(challengeOf(liar.verifiers.at(-1)!)).toBe(challenge)
  })

  const now = () => Math.floor(Date.now() / 1000)
  test.each([
    ['no signature', () => ({ algorithm: 'none' })],
    ['signed with the public key as a secret', () => ({ algorithm: 'HS256' })],
    ['the key of a stranger', () => ({ key: 'stranger' })],
    ['for another audience', () => ({ claims: { aud: 'another-client' } })],
    ['of another issuer', () => ({ claims: { iss: 'https://login.example.org' } })],
    ['with another nonce', () => ({ claims: { nonce: 'stolen' } })],
    ['without a nonce', () => ({ claims: { nonce: undefined } })],
    ['expired', () => ({ claims: { iat: now() - 900, exp: now() - 600 } })],
    ['without a subject', () => ({ claims: { sub: undefined } })],
  ] as const)('a token %s is refused', async (_what, lie) => {
    liar.lies = lie() as LyingProvider['lies']
    const { location, cookie } = await lied()
    expect(location).toBe('/sign-in?sso=refused')
    expect(await me(cookie)).toBe(401)
  })

  test('a state is good once', async () => {
    const { url, began } = await lied()
    expect((await back(url, began.cookie)).location).toBe('/sign-in?sso=expired')
  })

  test('a state that another browser began is refused: nobody is signed in as somebody else', async () => {
    const other = await start()
    expect((await lied({}, other.cookie)).location).toBe('/sign-in?sso=expired')
    expect((await lied({}, 'careloop.sso=none')).location).toBe('/sign-in?sso=expired')
    expect((await lied({ state: 'made-up' })).location).toBe('/sign-in?sso=expired')
  })

  test('a proof that the provider did not ask for just now, or does not date, is none', async () => {
    await setUp({ issuer: liar.issuer, mfaAmr: ['mfa'] })
    const seconds = () => Math.floor(Date.now() / 1000)
    const said = (over: object) => ({ claims: { sub: 'dated', groups: ['it'], amr: ['mfa'], ...over } })
    liar.lies = said({ auth_time: seconds() })
    const { cookie } = await lied()
    expect(await me(cookie)).toMatchObject({ roles: ['administrator'] })
    const proving = async (over: object) => {
      const headers = { cookie, 'sec-fetch-site': 'same-origin' }
      const began = await shell.server.inject({ method: 'POST', url: '/api/v1/session/step-up/provider', headers })
      const asked = new URL(began.json<{ url: string }>().url).searchParams
      liar.lies = said(over)
      liar.nonce = asked.get('nonce')!
      const answer = { code: 'c0de', state: asked.get('state')!, iss: liar.issuer }
      return back(`${callbackPath('st-anna')}?${new URLSearchParams(answer)}`, cookieOf(began.headers['set-cookie']))
    }
    expect((await proving({ auth_time: seconds() - 600 })).location).toBe('/proved?failed=refused')
    expect((await proving({})).location).toBe('/proved?failed=refused')
    expect((await proving({ auth_time: seconds(), amr: ['pwd'] })).location).toBe('/proved?failed=refused')
    expect((await proving({ auth_time: seconds() })).location).toBe('/proved')
  })

  test('an answer that names another issuer, or none, is refused (mix-up)', async () => {
    expect((await lied({ iss: real.issuer })).location).toBe('/sign-in?sso=refused')
    const began = await start()
    const state = new URL(began.location).searchParams.get('state')!
    liar.nonce = new URL(began.location).searchParams.get('nonce')!
    const url = `${callbackPath('st-anna')}?${new URLSearchParams({ code: 'c0de', state })}`
    expect((await back(url, began.cookie)).location).toBe('/sign-in?sso=refused')
  })

  test('what was begun before the settings changed does not end under the new ones', async () => {
    const began = await start()
    await setUp({ issuer: liar.issuer, name: 'Renamed' })
    const state = new URL(began.location).searchParams.get('state')!
    const url = `${callbackPath('st-anna')}?${new URLSearchParams({ code: 'c0de', state, iss: liar.issuer })}`
    expect((await back(url, began.cookie)).location).toBe('/sign-in?sso=expired')
  })

  test('after ten minutes it is over', async () => {
    const began = await start()
    await shell.clock.advance(10 * 60_000)
    admin = await shell.signIn(['administrator']) // proved anew: settings want it fresh
    const state = new URL(began.location).searchParams.get('state')!
    const url = `${callbackPath('st-anna')}?${new URLSearchParams({ code: 'c0de', state, iss: liar.issuer })}`
    expect((await back(url, began.cookie)).location).toBe('/sign-in?sso=expired')
  })

  test('a document of another issuer is not believed', async () => {
    liar.lies = { issuerInDocument: 'https://login.example.org' }
    await setUp({ issuer: liar.issuer, clientId: 'read-anew' })
    expect((await start()).location).toBe('/sign-in?sso=refused')
  })

  test('refusals stand in the trail of the organisation, without a word of the token', async () => {
    liar.lies = { key: 'stranger' }
    await lied()
    const denied = (await shell.trail()).filter(
      ({ resource, outcome }) => resource === 'identity-provider' && outcome === 'denied',
    )
    expect(denied.length).toBeGreaterThan(0)
    expect(shell.lines.join('')).not.toContain('mallory')
  })

  test('an unknown link answers as one whose provider does not', async () => {
    expect((await start('nobody-here')).location).toBe('/sign-in?sso=refused')
    expect((await get('/api/auth/sso/nobody-here/callback?state=x&code=y', 'careloop.sso=x')).headers.location).toBe(
      '/sign-in?sso=expired',
    )
  })

  describe('sign-out from the provider', () => {
    const event = 'http://schemas.openid.net/event/backchannel-logout'
    const seconds = () => Math.floor(shell.clock.now() / 1000)
    const claims = (over: object = {}) => ({
      ...{ iss: liar.issuer, aud: client.id, iat: seconds(), jti: `j${Math.random()}`, sub: 'mallory', sid: 'sid-1' },
      ...{ exp: seconds() + 60, events: { [event]: {} } },
      ...over,
    })
    const send = (token: string) =>
      shell.server.inject({
        ...{
          method: 'POST',
          url: '/api/auth/sso/st-anna/logout',
          payload: new URLSearchParams({ logout_token: token }).toString(),
        },
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })

    test('ends the session at once; a token is good once', async () => {
      const { cookie } = await lied()
      expect(await me(cookie)).toMatchObject({ roles: ['nurse'] })
      const token = await liar.signLogout(claims())
      expect((await send(token)).statusCode).toBe(200)
      expect(await me(cookie)).toBe(401)
      expect((await send(token)).statusCode).toBe(400)
    })

    test('ends a session that began with our own second factor after the provider; so does its removal', async () => {
      await setUp({ issuer: liar.issuer, linkExisting: true })
      const person = await shell.prove(await shell.signIn(['nurse']))
      liar.lies = { claims: { sub: 'two-steps', email: person.email, email_verified: true, sid: 'sid-2' } }
      const code = () => currentCode(person.secret!, shell.clock.now())
      const pass = (cookie: string) =>
        shell.server.inject({
          ...{ method: 'POST', url: '/api/auth/sign-in/second-factor', payload: { code: code() } },
          headers: { cookie, 'sec-fetch-site': 'same-origin' },
        })
      const arrive = async () => {
        await shell.clock.advance(60_000) // a code is good once
        const passed = await pass((await lied()).cookie)
        expect(passed.statusCode).toBe(200)
        const cookie = cookieOf(passed.headers['set-cookie'])
        expect(await me(cookie)).toMatchObject({ id: person.id })
        return cookie
      }
      const first = await arrive()
      const left = await shell.server.inject({
        ...{ method: 'POST', url: '/api/auth/sso/leave', payload: {} },
        headers: { cookie: first, 'sec-fetch-site': 'same-origin' },
      })
      const url = new URL(left.json<{ url: string }>().url)
      expect([url.origin, url.pathname]).toEqual([liar.issuer, '/end'])
      expect((await send(await liar.signLogout(claims({ sub: 'two-steps', sid: 'sid-2' })))).statusCode).toBe(200)
      expect(await me(first)).toBe(401)
      // Between the two steps there is no session yet: what has ended there is not finished here.
      await shell.clock.advance(60_000)
      const half = await lied()
      expect(half.location).toBe('/sign-in?sso=code&back=%2F')
      await send(await liar.signLogout(claims({ sub: 'two-steps', sid: 'sid-2' })))
      expect((await pass(half.cookie)).statusCode).toBe(401)
      const second = await arrive()
      await shell.identity.sso.remove(shell.tenant, { actor: 'cli' })
      expect(await me(second)).toBe(401)
    })

    test('is refused with wrong keys, audience, age, a nonce, or no event', async () => {
      const { cookie } = await lied()
      const tokens = [
        await liar.signLogout(claims(), 'stranger'),
        await liar.signLogout(claims({ aud: 'another' })),
        await liar.signLogout(claims({ iat: seconds() - 3600 })),
        await liar.signLogout(claims({ nonce: 'n' })),
        await liar.signLogout(claims({ events: {} })),
        await liar.signLogout(claims({ sub: undefined, sid: undefined })),
        'not.a.token',
        '',
      ]
      for (const token of tokens) expect((await send(token)).statusCode).toBe(400)
      expect(await me(cookie)).toMatchObject({ roles: ['nurse'] })
    })
  })
})
