/** Proof again before grave acts, by the table of routes that want it; a session's token and its end. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { currentCode, defineRoute } from '../identity/index.ts'
import { SoftwareAuthenticator } from './testing/software-authenticator.ts'
import { cookieOf, type Signed, type TestShell, testShell } from './testing/test-shell.ts'

const minute = 60_000
let shell: TestShell
beforeAll(async () => {
  const grave = defineRoute({
    ...{ method: 'POST', url: '/api/v1/grave', summary: 'For everybody', policy: 'signed-in', stepUp: true },
    response: { 204: 'empty' },
    handler: (ctx) => ctx.reply(204, undefined),
  })
  shell = await testShell({ publicOrigin: 'https://care.example.org', routes: () => [grave] })
})
afterAll(() => shell?.close())

const ask = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, cookie: string, payload: object = {}) =>
  shell.server.inject({
    ...{ method, url, headers: { cookie, 'sec-fetch-site': 'same-origin' } },
    ...(method === 'GET' || method === 'DELETE' ? {} : { payload }),
  })
type Answered = Awaited<ReturnType<typeof ask>>
const codeOf = (answered: Answered): string | number =>
  answered.body === ''
    ? answered.statusCode
    : (answered.json().issue?.[0].details.coding[0].code ?? answered.statusCode)
const cookieIn = (answered: Answered) => cookieOf(answered.headers['set-cookie'])
const token = { name: 'EHR', scopes: ['series:read'] }
const makeToken = (cookie: string) => ask('POST', '/api/v1/service-tokens', cookie, token)
const code = ({ secret }: Signed, later = 0) => currentCode(secret!, shell.clock.now(), later)

describe('step-up > a grave act', () => {
  test('wants a second factor proved in this session within five minutes; then it goes on, under another token', async () => {
    const ana = await shell.signIn(['administrator'])
    expect((await makeToken(ana.cookie)).statusCode).toBe(201)
    await shell.clock.advance(5 * minute - 1)
    expect((await makeToken(ana.cookie)).statusCode).toBe(201)
    await shell.clock.advance(1)
    expect(codeOf(await makeToken(ana.cookie))).toBe('step-up-needed')
    expect((await ask('GET', '/api/v1/service-tokens', ana.cookie)).statusCode).toBe(200)
    expect(codeOf(await ask('POST', '/api/v1/session/step-up', ana.cookie, { code: '000000' }))).toBe(
      'second-factor-refused',
    )
    const proved = await ask('POST', '/api/v1/session/step-up', ana.cookie, { code: code(ana) })
    expect(proved.statusCode).toBe(204)
    expect((await makeToken(cookieIn(proved))).statusCode).toBe(201)
    // The cookie of before the proof opens nothing: who had taken it does not profit from it.
    expect(codeOf(await makeToken(ana.cookie))).toBe('not-signed-in')
    // A code is good once, for a proof too.
    expect(codeOf(await ask('POST', '/api/v1/session/step-up', cookieIn(proved), { code: code(ana) }))).toBe(
      'second-factor-refused',
    )
    const told = (await shell.trail()).filter((each) => each.resource === 'second-factor' && each.resourceId === ana.id)
    expect(told.slice(0, 3).map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      ...['login denied', 'login success', 'login denied'],
    ])
  })

  test('of one session opens no other of the same person', async () => {
    const ana = await shell.signIn(['administrator'])
    await shell.clock.advance(90_000)
    const { email, password } = ana
    const first = await ask('POST', '/api/auth/sign-in/email', '', { email, password })
    const second = await ask('POST', '/api/auth/sign-in/second-factor', cookieIn(first), { code: code(ana) })
    await shell.clock.advance(5 * minute)
    const proved = await ask('POST', '/api/v1/session/step-up', cookieIn(second), { code: code(ana) })
    expect((await makeToken(cookieIn(proved))).statusCode).toBe(201)
    expect(codeOf(await makeToken(ana.cookie))).toBe('step-up-needed')
  })

  test('is refused to who has no second factor, with what to do; a proof is not to be had without one', async () => {
    const { cookie } = await shell.signIn(['nurse'])
    const refused = await ask('POST', '/api/v1/grave', cookie)
    expect(codeOf(refused)).toBe('step-up-without-factor')
    expect(refused.json().issue[0].diagnostics).toContain('Set up a passkey or an authenticator app')
    expect(codeOf(await ask('POST', '/api/v1/session/step-up', cookie, { code: '123456' }))).toBe('second-factor-off')
  })

  test('by a passkey and by a backup code as well as by the app', async () => {
    const ana = await shell.signIn(['administrator'])
    await shell.clock.advance(90_000)
    const key = new SoftwareAuthenticator('https://care.example.org')
    const begun = await ask('POST', '/api/v1/passkeys/begin', ana.cookie, { password: ana.password, code: code(ana) })
    const made = await ask('POST', '/api/v1/passkeys', ana.cookie, {
      ...{ name: 'Key', passkey: key.create(begun.json().options) },
    })
    await shell.clock.advance(5 * minute)
    expect(codeOf(await makeToken(cookieIn(made)))).toBe('step-up-needed')
    const { options } = (await ask('POST', '/api/v1/session/passkey', cookieIn(made))).json()
    const proved = await ask('POST', '/api/v1/session/step-up', cookieIn(made), { passkey: key.get(options) })
    expect((await makeToken(cookieIn(proved))).statusCode).toBe(201)
    const renewed = await ask('POST', '/api/v1/second-factor/backup-codes', cookieIn(proved), { code: code(ana) })
    await shell.clock.advance(5 * minute)
    const backup = { code: renewed.json().codes[0] }
    const again = await ask('POST', '/api/v1/session/step-up', cookieIn(proved), backup)
    expect((await makeToken(cookieIn(again))).statusCode).toBe(201)
  })

  test('guessing is slowed down, and who guesses elsewhere slows down nobody', async () => {
    const ana = await shell.signIn(['administrator'])
    const answers: (string | number)[] = []
    for (let each = 0; each < 6; each += 1)
      answers.push(codeOf(await ask('POST', '/api/v1/session/step-up', ana.cookie, { code: '000000' })))
    expect(answers).toEqual([...Array<string>(5).fill('second-factor-refused'), 'sign-in-throttled'])
    const bo = await shell.signIn(['administrator'])
    await shell.clock.advance(30_000)
    expect((await ask('POST', '/api/v1/session/step-up', bo.cookie, { code: code(bo) })).statusCode).toBe(204)
  })

  test('of people, tokens and second factors: each route that changes who may what wants it', async () => {
    const ana = await shell.signIn(['administrator'])
    const bo = await shell.signIn(['nurse'])
    await shell.clock.advance(5 * minute)
    const grave = [
      ['POST', '/api/v1/users'],
      ['PUT', `/api/v1/users/${bo.id}/roles`],
      ['POST', `/api/v1/users/${bo.id}/password`],
      ['DELETE', `/api/v1/users/${bo.id}/second-factor`],
      ['POST', '/api/v1/service-tokens'],
      ['DELETE', `/api/v1/users/${bo.id}`],
      ['POST', '/api/v1/invitations'],
      ['POST', `/api/v1/invitations/${bo.id}/resend`],
    ] as const
    for (const [method, url] of grave)
      expect([method, url, codeOf(await ask(method, url, ana.cookie))]).toEqual([method, url, 'step-up-needed'])
    // A service is not asked: somebody who was has given it its scope.
    const authorization = await shell.token(['user:update', 'user:read', 'live:read'])
    const headers = { authorization }
    const reset = await shell.server.inject({ method: 'DELETE', url: grave[3][1], headers })
    expect(codeOf(reset)).not.toBe('step-up-needed')
  })
})

describe('sessions', () => {
  test('end twelve hours after the sign-in, whatever is done in them', async () => {
    const ana = await shell.signIn(['administrator'])
    let { cookie } = ana
    for (let hour = 0; hour < 11; hour += 1) {
      await shell.clock.advance(60 * minute)
      expect((await ask('POST', '/api/v1/session/activity', cookie)).statusCode).toBe(204)
      expect((await ask('GET', '/api/auth/get-session', cookie)).json()).not.toBeNull()
      const proved = await ask('POST', '/api/v1/session/step-up', cookie, { code: code(ana) })
      expect(proved.statusCode).toBe(204)
      cookie = cookieIn(proved)
    }
    await shell.clock.advance(60 * minute - 2)
    expect((await ask('GET', '/api/v1/me', cookie)).statusCode).toBe(200)
    await shell.clock.advance(2)
    expect((await ask('GET', '/api/v1/me', cookie)).statusCode).toBe(401)
    expect((await ask('GET', '/api/auth/get-session', cookie)).json()).toBeNull()
    expect(codeOf(await ask('POST', '/api/v1/session/unlock', cookie, { password: ana.password }))).toBe(
      'not-signed-in',
    )
  })

  test('are not fixed: a cookie that was there before the sign-in is never the one after it', async () => {
    const [evil, ana] = [await shell.signIn(['nurse']), await shell.signIn(['nurse'])]
    const { email, password } = ana
    const planted = `${evil.cookie}; careloop.session_token=planted.c2lnbmVk`
    const opened = await ask('POST', '/api/auth/sign-in/email', planted, { email, password })
    expect(cookieIn(opened)).not.toContain('planted')
    expect(cookieIn(opened)).not.toContain(evil.cookie)
    expect((await ask('GET', '/api/v1/me', cookieIn(opened))).json().id).toBe(ana.id)
    expect((await ask('GET', '/api/v1/me', evil.cookie)).json().id).toBe(evil.id)
  })

  test('that were signed out are not replayed', async () => {
    const { cookie } = await shell.signIn(['nurse'])
    expect((await ask('POST', '/api/auth/sign-out', cookie)).statusCode).toBe(204)
    expect((await ask('GET', '/api/v1/me', cookie)).statusCode).toBe(401)
    expect(codeOf(await ask('POST', '/api/v1/session/unlock', cookie, { password: 'x' }))).toBe('not-signed-in')
  })
})
