import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cookieOf, enrol, type TestShell, testShell } from './testing/test-shell.ts'

let shell: TestShell
beforeAll(async () => {
  shell = await testShell()
})
afterAll(() => shell.close())

const get = (url: string, headers: Record<string, string>) => shell.server.inject({ method: 'GET', url, headers })
const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
  shell.server.inject({ method: 'POST', url, payload, headers: { 'sec-fetch-site': 'same-origin', ...headers } })

describe('identity > staff', () => {
  test('sign in by e-mail and password and are told who they are and what they may do', async () => {
    const nurse = await shell.signIn(['nurse'])
    const me = await get('/api/v1/me', { cookie: nurse.cookie })
    expect(me.statusCode).toBe(200)
    expect(me.json()).toMatchObject({ kind: 'staff', id: nurse.id, roles: ['nurse'], tenant: { name: 'Ward 3' } })
    expect(me.json().allowed).toContain('task:act')
    expect(me.json().allowed).not.toContain('user:create')
  })

  test('get a cookie that scripts cannot read and other sites do not send', async () => {
    const nurse = await shell.signIn(['nurse'])
    const { email, password } = nurse
    const answered = await post('/api/auth/sign-in/email', { email: email.toUpperCase(), password })
    const [cookie] = [answered.headers['set-cookie'] ?? []].flat()
    expect(cookie).toMatch(/^careloop\.session_token=/)
    expect(cookie).toMatch(/HttpOnly/i)
    expect(cookie).toMatch(/SameSite=Lax/i)
    expect(cookie).toMatch(/Path=\//)
  })

  test('see the names and roles of who works here now, and nobody’s address', async () => {
    const nurse = await shell.signIn(['nurse'])
    const { items } = (await get('/api/v1/colleagues', { cookie: nurse.cookie })).json()
    const mine = items.find((each: { id: string }) => each.id === nurse.id)
    expect(Object.keys(mine).sort()).toEqual(['displayName', 'id', 'roles'])
    expect(mine.roles).toEqual(['nurse'])
    const leaver = await shell.signIn(['nurse'])
    const { tenant } = (await get('/api/v1/me', { cookie: nurse.cookie })).json()
    await shell.identity.endMembership(tenant.id, leaver.id)
    const left = (await get('/api/v1/colleagues', { cookie: nurse.cookie })).json().items
    expect(left.map((each: { id: string }) => each.id)).not.toContain(leaver.id)
    expect((await get('/api/v1/colleagues', {})).statusCode).toBe(401)
  })

  test('are refused alike for a wrong password and an unknown address', async () => {
    const { email } = await shell.signIn(['nurse'])
    const wrong = await post('/api/auth/sign-in/email', { email, password: 'not the password at all' })
    const unknown = await post('/api/auth/sign-in/email', {
      email: 'nobody@ward.example',
      password: 'not the password',
    })
    expect(wrong.statusCode).toBe(401)
    expect(wrong.json().issue[0].details.coding[0].code).toBe('sign-in-refused')
    expect(unknown.statusCode).toBe(401)
    expect(unknown.json()).toEqual(wrong.json())
    expect(wrong.headers['set-cookie']).toBeUndefined()
  })

  test('are out at once when they sign out, are signed out elsewhere, or their membership ends', async () => {
    const one = await shell.signIn(['nurse'])
    await post('/api/auth/sign-out', {}, { cookie: one.cookie })
    expect((await get('/api/v1/me', { cookie: one.cookie })).statusCode).toBe(401)

    const two = await shell.signIn(['nurse'])
    const again = await post('/api/auth/sign-in/email', { email: two.email, password: two.password })
    const elsewhere = cookieOf(again.headers['set-cookie'])
    const { items } = (await get('/api/v1/sessions', { cookie: elsewhere })).json()
    expect(items.map((session: { isThis: boolean }) => session.isThis)).toEqual([true, false])
    const headers = { cookie: elsewhere, 'sec-fetch-site': 'same-origin' }
    await shell.server.inject({ method: 'DELETE', url: `/api/v1/sessions/${items[1].id}`, headers })
    expect((await get('/api/v1/me', { cookie: two.cookie })).statusCode).toBe(401)
    expect((await get('/api/v1/me', { cookie: elsewhere })).statusCode).toBe(200)

    await shell.identity.endMembership(shell.tenant, two.id)
    expect((await get('/api/v1/me', { cookie: elsewhere })).statusCode).toBe(401)
    const back = await post('/api/auth/sign-in/email', { email: two.email, password: two.password })
    const nobody = await get('/api/v1/me', { cookie: cookieOf(back.headers['set-cookie']) })
    expect([nobody.statusCode, nobody.json().issue[0].details.coding[0].code]).toEqual([403, 'no-membership'])
  })

  test('change their password, which ends their other sessions', async () => {
    const nurse = await shell.signIn(['nurse'])
    const again = await post('/api/auth/sign-in/email', { email: nurse.email, password: nurse.password })
    const other = cookieOf(again.headers['set-cookie'])
    const change = (currentPassword: string, newPassword: string) =>
      post('/api/auth/change-password', { currentPassword, newPassword }, { cookie: nurse.cookie })
    const wrong = await change('not my password', 'seven quiet lanterns')
    expect([wrong.statusCode, wrong.json().issue[0].expression]).toEqual([401, ['/body/currentPassword']])
    expect((await change(nurse.password, 'short')).json().issue[0].expression).toEqual(['/body/newPassword'])
    const changed = await change(nurse.password, 'seven quiet lanterns')
    expect(changed.statusCode).toBe(204)
    expect((await get('/api/v1/me', { cookie: other })).statusCode).toBe(401)
    expect((await get('/api/v1/me', { cookie: cookieOf(changed.headers['set-cookie']) })).statusCode).toBe(200)
    const signIn = (password: string) => post('/api/auth/sign-in/email', { email: nurse.email, password })
    expect((await signIn(nurse.password)).statusCode).toBe(401)
    expect((await signIn('seven quiet lanterns')).statusCode).toBe(200)
  })

  test('cannot see or end the sessions of another, and no answer holds a session token', async () => {
    const [one, two] = [await shell.signIn(['nurse']), await shell.signIn(['administrator'])]
    const theirs = (await get('/api/v1/sessions', { cookie: one.cookie })).json().items[0].id
    const headers = { cookie: two.cookie, 'sec-fetch-site': 'same-origin' }
    const refused = await shell.server.inject({ method: 'DELETE', url: `/api/v1/sessions/${theirs}`, headers })
    expect(refused.statusCode).toBe(404)
    const again = await post('/api/auth/sign-in/email', { email: one.email, password: one.password })
    const token = decodeURIComponent(cookieOf(again.headers['set-cookie']).split('=')[1]!).split('.')[0]!
    expect(token.length).toBeGreaterThan(20)
    for (const answered of [again, await get('/api/v1/sessions', { cookie: one.cookie })])
      expect(answered.body).not.toContain(token)
    const session = await get('/api/auth/get-session', { cookie: one.cookie })
    expect(Object.keys(session.json())).toEqual(['expiresAt'])
    expect((await get('/api/auth/get-session', {})).json()).toBeNull()
  })

  test('lose what a role gave from the next request on', async () => {
    const admin = await shell.signIn(['administrator'])
    expect((await get('/api/v1/users', { cookie: admin.cookie })).statusCode).toBe(200)
    await shell.engine.db.pool.query(`update auth.member set roles = '{nurse}' where user_id = $1`, [admin.id])
    expect((await get('/api/v1/users', { cookie: admin.cookie })).statusCode).toBe(403)
  })

  test('cannot come in with a cookie that was changed', async () => {
    const { cookie } = await shell.signIn(['nurse'])
    const changed = cookie.replace(/=(.)/, (_, first: string) => `=${first === 'A' ? 'B' : 'A'}`)
    expect((await get('/api/v1/me', { cookie: changed })).statusCode).toBe(401)
  })

  test('nobody signs up by themselves', async () => {
    const answered = await post('/api/auth/sign-up/email', {
      email: 'a@b.example',
      password: 'long enough password',
      name: 'A',
    })
    expect(answered.statusCode).toBe(404)
  })

  test('passwords and session tokens are not kept in the clear', async () => {
    const { password } = await shell.signIn(['nurse'])
    const { rows } = await shell.engine.db.pool.query(`select password from auth.account`)
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expect(row.password).toMatch(/^\$argon2id\$/)
    expect(JSON.stringify(rows)).not.toContain(password)
  })

  test('a second person with the same address is refused, whatever its case', async () => {
    const { email } = await shell.signIn(['nurse'])
    await expect(
      shell.identity.createUser({
        tenant: shell.tenant,
        email: email.toUpperCase(),
        displayName: 'X',
        roles: ['nurse'],
      }),
    ).rejects.toMatchObject({ code: 'user-exists', pointer: '/body/email' })
  })
})

describe('identity > the trail tells', () => {
  test('of sign-ins, sign-outs and refused passwords, by ids', async () => {
    const { id, email, cookie } = await shell.signIn(['nurse'])
    await post('/api/auth/sign-in/email', { email, password: 'a wrong password' })
    await post('/api/auth/sign-out', {}, { cookie })
    const mine = (await shell.trail()).filter((entry) => entry.resource === 'user' && entry.resourceId === id)
    expect(mine.map((entry) => [entry.actor, entry.action, entry.outcome])).toEqual([
      [`staff:${id}`, 'logout', 'success'],
      ['anonymous', 'login', 'denied'],
      [`staff:${id}`, 'login', 'success'],
      ['cli', 'create', 'success'],
    ])
    expect(JSON.stringify(mine)).not.toContain(email)
  })

  test('who made and revoked a token', async () => {
    const { id: admin, cookie } = await shell.signIn(['administrator'])
    const { id } = (await post('/api/v1/service-tokens', { name: 'EHR', scopes: ['series:read'] }, { cookie })).json()
    const headers = { cookie, 'sec-fetch-site': 'same-origin' }
    await shell.server.inject({ method: 'DELETE', url: `/api/v1/service-tokens/${id}`, headers })
    const told = (await shell.trail()).filter((entry) => entry.resourceId === id)
    expect(told.map((entry) => [entry.actor, entry.action])).toEqual([
      [`staff:${admin}`, 'revoke'],
      [`staff:${admin}`, 'create'],
    ])
  })
})

describe('identity > service tokens', () => {
  test('open what their scopes say, in their own tenant, until they expire or are revoked', async () => {
    const token = await shell.token(['user:read'])
    expect((await get('/api/v1/users', { authorization: token })).statusCode).toBe(200)
    expect((await get('/api/v1/service-tokens', { authorization: token })).statusCode).toBe(403)

    const made = await shell.identity.createServiceToken({
      tenant: shell.tenant,
      name: 'short',
      scopes: ['user:read'],
      expiresAt: shell.clock.now() + 60_000,
    })
    const short = { authorization: `Bearer ${made.token}` }
    expect((await get('/api/v1/users', short)).statusCode).toBe(200)
    await shell.clock.advance(60_000)
    const expired = await get('/api/v1/users', short)
    expect([expired.statusCode, expired.json().issue[0].details.coding[0].code]).toEqual([401, 'token-refused'])
  })

  test('are made and revoked over HTTP, shown once, and kept as a hash', async () => {
    const { cookie } = await shell.signIn(['administrator'])
    const made = await post('/api/v1/service-tokens', { name: 'EHR bridge', scopes: ['series:read'] }, { cookie })
    expect(made.statusCode).toBe(201)
    const { id, token } = made.json()
    expect(token).toMatch(/^cls_[A-Za-z0-9_-]{40,}$/)
    const list = await get('/api/v1/service-tokens', { cookie })
    expect(list.body).not.toContain(token)
    const { rows } = await shell.engine.db.pool.query('select sha256 from auth.service_token where id = $1', [id])
    expect(rows[0].sha256).toEqual(createHash('sha256').update(token).digest())

    const headers = { cookie, 'sec-fetch-site': 'same-origin' }
    const revoked = await shell.server.inject({ method: 'DELETE', url: `/api/v1/service-tokens/${id}`, headers })
    expect(revoked.statusCode).toBe(204)
    expect((await get('/api/v1/me', { authorization: `Bearer ${token}` })).statusCode).toBe(401)
  })

  test('of another tenant can be neither seen nor revoked', async () => {
    const other = await shell.identity.createTenant('Ward 4')
    const theirs = await shell.identity.createServiceToken({
      tenant: other,
      name: 't',
      scopes: ['*:*'],
    })
    const { cookie } = await shell.signIn(['administrator'])
    const list = await get('/api/v1/service-tokens', { cookie })
    expect(list.json().items.map((item: { id: string }) => item.id)).not.toContain(theirs.id)
    const headers = { cookie, 'sec-fetch-site': 'same-origin' }
    const refused = await shell.server.inject({ method: 'DELETE', url: `/api/v1/service-tokens/${theirs.id}`, headers })
    expect(refused.statusCode).toBe(404)
    expect((await get('/api/v1/me', { authorization: `Bearer ${theirs.token}` })).json().tenant.name).toBe('Ward 4')
  })

  test('an unknown scope is refused with a pointer to it', async () => {
    const { cookie } = await shell.signIn(['administrator'])
    const refused = await post(
      '/api/v1/service-tokens',
      { name: 'x', scopes: ['series:read', 'moon:read'] },
      { cookie },
    )
    expect(refused.statusCode).toBe(400)
    expect(refused.json().issue[0].expression).toEqual(['/body/scopes/1'])
  })

  test('a bad token is refused even beside a good session', async () => {
    const { cookie } = await shell.signIn(['nurse'])
    expect((await get('/api/v1/me', { cookie, authorization: 'Bearer cls_unknownunknownunknown' })).statusCode).toBe(
      401,
    )
  })
})

describe('identity > the first administrator', () => {
  test('is made once, with the newest unexpired one-time token', async () => {
    const fresh = await testShell()
    try {
      const first = (token: string) =>
        fresh.server.inject({
          method: 'POST',
          url: '/api/v1/setup',
          payload: {
            token,
            tenantName: 'Clinic',
            displayName: 'Ana',
            email: 'ana@clinic.example',
            password: 'quiet lamps over water',
          },
        })
      const old = await fresh.identity.offerSetup()
      const token = await fresh.identity.offerSetup()
      expect((await first(old!)).statusCode).toBe(403)
      await fresh.clock.advance(24 * 3600_000 + 1)
      expect((await first(token!)).statusCode).toBe(403)
      const good = await fresh.identity.offerSetup()
      expect((await first(good!)).statusCode).toBe(201)
      expect((await first(good!)).statusCode).toBe(403)
      expect(await fresh.identity.offerSetup()).toBeNull()
      const signedIn = await fresh.server.inject({
        method: 'POST',
        url: '/api/auth/sign-in/email',
        payload: { email: 'ana@clinic.example', password: 'quiet lamps over water' },
      })
      const { cookie } = await enrol(fresh.server, cookieOf(signedIn.headers['set-cookie']), fresh.clock.now())
      const me = await fresh.server.inject({ url: '/api/v1/me', headers: { cookie } })
      expect(me.json()).toMatchObject({ displayName: 'Ana', roles: ['administrator'], tenant: { name: 'Clinic' } })
    } finally {
      await fresh.close()
    }
  })
})

test('identity > too many sign-ins from one address are refused with a time to wait', async () => {
  const strict = await testShell({ signInsPerMinute: 2 })
  try {
    const tries = []
    for (let at = 0; at < 3; at += 1)
      tries.push(
        await strict.server.inject({
          method: 'POST',
          url: '/api/auth/sign-in/email',
          payload: { email: 'nobody@ward.example', password: 'wrong wrong wrong' },
          headers: { 'x-careloop-peer': `10.0.0.${at}`, 'x-forwarded-for': `10.0.0.${at}` },
        }),
      )
    expect(tries.map((answered) => answered.statusCode)).toEqual([401, 401, 429])
    expect(Number(tries[2]!.headers['retry-after'])).toBeGreaterThan(0)
  } finally {
    await strict.close()
  }
})

test('identity > where browsers come by TLS, the cookie and the pages stay on TLS', async () => {
  const tls = await testShell({ secureCookies: true, publicOrigin: 'https://care.example.org' })
  try {
    const { cookie, email, password } = await tls.signIn(['nurse'])
    const answered = await tls.server.inject({
      method: 'POST',
      url: '/api/auth/sign-in/email',
      payload: { email, password },
      headers: { origin: 'https://care.example.org', host: 'inside:8080' },
    })
    expect(answered.statusCode).toBe(200)
    expect([answered.headers['set-cookie'] ?? []].flat()[0]).toMatch(
      /^__Host-careloop\.session_token=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    expect(answered.headers['strict-transport-security']).toMatch(/^max-age=\d+/)
    expect((await tls.server.inject({ url: '/api/v1/me', headers: { cookie } })).statusCode).toBe(200)
  } finally {
    await tls.close()
  }
})
