import { afterAll, beforeAll, expect, test } from 'vitest'
import { cookieOf, type Signed, type TestShell, testShell } from './testing/test-shell.ts'

let shell: TestShell
let admin: Signed
beforeAll(async () => {
  shell = await testShell()
  admin = await shell.signIn(['administrator'])
})
afterAll(() => shell?.close())

const post = (url: string, payload: object, cookie = '') =>
  shell.server.inject({ method: 'POST', url, payload, headers: { cookie, 'sec-fetch-site': 'same-origin' } })
type Answered = Awaited<ReturnType<typeof post>>
const codeOf = (answered: Answered) => answered.json().issue?.[0].details.coding[0].code
const cookieIn = (answered: Answered) => cookieOf(answered.headers['set-cookie'])
const signIn = (email: string, password: string) => post('/api/auth/sign-in/email', { email, password })
const change = (newPassword: string, cookie: string) => post('/api/auth/change-password', { newPassword }, cookie)

test('a password that was handed over > opens nothing before its person has replaced it', async () => {
  const email = 'new@ward.example'
  const made = await post('/api/v1/users', { email, displayName: 'Nina New', roles: ['nurse'] }, admin.cookie)
  const { password } = made.json()
  const opened = await signIn(email, password)
  expect(opened.json()).toMatchObject({ next: 'change-password' })
  const cookie = cookieIn(opened)
  const others = shell.server.routes.filter(({ policy }) => typeof policy === 'object' || policy === 'signed-in')
  expect(others.length).toBeGreaterThan(10)
  for (const { method, url } of others) {
    const answered = await shell.server.inject({
      ...{ method, url: url.replaceAll(/:\w+/g, shell.tenant), headers: { cookie, 'sec-fetch-site': 'same-origin' } },
      ...(method === 'GET' || method === 'DELETE' ? {} : { payload: {} }),
    })
    expect([method, url, codeOf(answered)]).toEqual([method, url, 'password-change-needed'])
  }
  // Who else knows the password must not bind their own telephone or key to the account.
  for (const url of ['/api/v1/second-factor/begin', '/api/v1/session/step-up'])
    expect([url, codeOf(await post(url, { code: '123456' }, cookie))]).toEqual([url, 'password-change-needed'])

  const same = await change(password, cookie)
  expect([codeOf(same), same.json().issue[0].expression]).toEqual(['password-weak', ['/body/newPassword']])
  expect(codeOf(await change('nina new 123', cookie))).toBe('password-weak')
  const changed = await change('seven boats under ice', cookie)
  expect(changed.statusCode).toBe(204)
  const me = await shell.server.inject({ url: '/api/v1/me', headers: { cookie: cookieIn(changed) } })
  expect(me.statusCode).toBe(200)
  expect((await shell.server.inject({ url: '/api/v1/me', headers: { cookie } })).statusCode).toBe(401)
  expect((await signIn(email, password)).statusCode).toBe(401)
  expect((await signIn(email, 'seven boats under ice')).json().next).toBe('signed-in')
  // Now it is asked for, as from everybody.
  expect(codeOf(await change('another phrase of words', cookieIn(changed)))).toBe('sign-in-refused')
})

test('a password that was handed over > by a reset is replaced too, and a lock does not let that be skipped', async () => {
  const ana = await shell.signIn(['nurse'])
  const { password } = await shell.identity.renewPassword(shell.tenant, ana.email)
  const opened = await signIn(ana.email, password)
  expect(opened.json().next).toBe('change-password')
  await post('/api/v1/session/lock', {}, cookieIn(opened))
  expect(codeOf(await change('seven boats under ice', cookieIn(opened)))).toBe('session-locked')
  const unlocked = await post('/api/v1/session/unlock', { password }, cookieIn(opened))
  expect(unlocked.statusCode).toBe(204)
  const held = await shell.server.inject({ url: '/api/v1/me', headers: { cookie: cookieIn(unlocked) } })
  expect(codeOf(held)).toBe('password-change-needed')
  expect((await change('seven boats under ice', cookieIn(unlocked))).statusCode).toBe(204)
})

test('a password that was handed over > of who needs a second factor is replaced first, then that is set up', async () => {
  const email = 'office@ward.example'
  const { password } = await shell.identity.createUser({
    ...{ tenant: shell.tenant, email, displayName: 'Olga Office', roles: ['compliance'] },
  })
  const changed = await change('seven boats under ice', cookieIn(await signIn(email, password!)))
  const next = await shell.server.inject({ url: '/api/v1/me', headers: { cookie: cookieIn(changed) } })
  expect(codeOf(next)).toBe('second-factor-needed')
})
