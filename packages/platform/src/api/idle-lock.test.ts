import { afterAll, beforeAll, expect, test } from 'vitest'
import { currentCode } from '../identity/index.ts'
import { cookieOf, type TestShell, testShell } from './testing/test-shell.ts'

const minute = 60_000
let shell: TestShell
let base: string
beforeAll(async () => {
  shell = await testShell({ idleLockMs: 15 * minute })
  base = await shell.server.listen(0, '127.0.0.1')
})
afterAll(() => shell?.close())

const headersOf = (cookie: string) => ({ cookie, 'sec-fetch-site': 'same-origin' })
const post = (url: string, cookie: string, payload: object = {}) =>
  shell.server.inject({ method: 'POST', url, payload, headers: headersOf(cookie) })
const get = (url: string, cookie: string) => shell.server.inject({ url, headers: { cookie } })
const seen = async (cookie: string) => (await get('/api/v1/me', cookie)).statusCode

test('idle lock > requests alone do not keep a session open, a human being does', async () => {
  const [busy, idle] = [await shell.signIn(['nurse']), await shell.signIn(['nurse'])]
  for (let each = 0; each < 14; each += 1) {
    await shell.clock.advance(minute)
    expect([await seen(busy.cookie), await seen(idle.cookie)]).toEqual([200, 200])
  }
  expect((await post('/api/v1/session/activity', busy.cookie)).statusCode).toBe(204)
  await shell.clock.advance(minute)
  const locked = await get('/api/v1/me', idle.cookie)
  expect([locked.statusCode, locked.json().issue[0].details.coding[0].code]).toEqual([423, 'session-locked'])
  expect(await seen(busy.cookie)).toBe(200)
})

test('idle lock > nothing but the password wakes a locked session: no act, no new lock, no way to a second factor', async () => {
  const ana = await shell.signIn(['nurse'])
  await shell.clock.advance(15 * minute)
  for (const url of ['/api/v1/session/activity', '/api/v1/second-factor/begin'])
    expect([url, (await post(url, ana.cookie)).statusCode]).toEqual([url, 423])
  await post('/api/v1/session/lock', ana.cookie)
  expect((await post('/api/v1/session/unlock', ana.cookie, { password: 'not the password' })).statusCode).toBe(401)
  expect((await post('/api/v1/session/unlock', ana.cookie, {})).statusCode).toBe(400)
  expect(await seen(ana.cookie)).toBe(423)
  const prolonged = await get('/api/auth/get-session', ana.cookie)
  expect(prolonged.json()).toBeNull()

  const unlocked = await post('/api/v1/session/unlock', ana.cookie, { password: ana.password })
  expect(unlocked.statusCode).toBe(204)
  expect(await seen(cookieOf(unlocked.headers['set-cookie']))).toBe(200)
  // A cookie that was taken from the locked desk is worth nothing once its person is back.
  expect(await seen(ana.cookie)).toBe(401)
  const told = (await shell.trail()).filter((each) => each.resource === 'session' && each.actor === `staff:${ana.id}`)
  expect(told.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    ...['login success', 'login denied', 'logout success'],
  ])
})

test('idle lock > a code of the app unlocks too, once', async () => {
  const ana = await shell.signIn(['administrator'])
  await shell.clock.advance(15 * minute)
  const code = currentCode(ana.secret!, shell.clock.now())
  const unlocked = await post('/api/v1/session/unlock', ana.cookie, { code })
  expect(unlocked.statusCode).toBe(204)
  const cookie = cookieOf(unlocked.headers['set-cookie'])
  expect((await post('/api/v1/session/lock', cookie)).statusCode).toBe(204)
  expect(await seen(cookie)).toBe(423)
  expect((await post('/api/v1/session/unlock', cookie, { code })).statusCode).toBe(401)
})

test('idle lock > guessing at the lock screen is slowed down, and a locked session can always be left', async () => {
  const ana = await shell.signIn(['nurse'])
  await post('/api/v1/session/lock', ana.cookie)
  const answers: number[] = []
  for (let each = 0; each < 7; each += 1)
    answers.push((await post('/api/v1/session/unlock', ana.cookie, { password: `guess ${each}` })).statusCode)
  expect(answers).toEqual([401, 401, 401, 401, 401, 429, 429])
  expect((await post('/api/v1/session/unlock', ana.cookie, { password: ana.password })).statusCode).toBe(429)
  expect((await post('/api/auth/sign-out', ana.cookie)).statusCode).toBe(204)
  expect(await seen(ana.cookie)).toBe(401)
})

test('idle lock > the live stream of a locked session ends at once', async () => {
  const ana = await shell.signIn(['nurse'])
  const answered = await fetch(`${base}/api/v1/live`, { headers: { cookie: ana.cookie } })
  const reader = answered.body!.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader.read()).value).toContain('event: ready')
  await post('/api/v1/session/lock', ana.cookie)
  let end = await reader.read()
  while (!end.done) end = await reader.read()
  expect((await fetch(`${base}/api/v1/live`, { headers: { cookie: ana.cookie } })).status).toBe(423)
})

test.each([
  '/api/auth/sign-in/second-factor',
  '/api/auth/sign-in/second-factor/passkey',
  '/api/auth/sign-in/passkey',
  '/api/auth/sign-in/passkey/begin',
  '/api/auth/change-password',
  '/api/v1/passkeys',
  '/api/v1/passkeys/begin',
  '/api/v1/session/step-up',
  '/api/v1/session/passkey',
  '/api/v1/session/activity',
  '/api/v1/session/lock',
  '/api/v1/session/unlock',
  '/api/v1/second-factor/begin',
  '/api/v1/second-factor/confirm',
])('same origin > a page elsewhere cannot ask %s with our cookie', async (url) => {
  const { cookie } = await shell.signIn(['nurse'])
  for (const headers of [
    { cookie, 'sec-fetch-site': 'cross-site' },
    { cookie, origin: 'https://evil.example' },
    { cookie },
  ]) {
    const answered = await shell.server.inject({ method: 'POST', url, payload: { code: '123456' }, headers })
    expect([answered.statusCode, answered.json().issue[0].details.coding[0].code]).toEqual([403, 'cross-origin'])
  }
})
