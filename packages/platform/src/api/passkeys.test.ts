/** Passkeys behind the real shell, with an authenticator in software: what opens, and everything that must not. */
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Lies, SoftwareAuthenticator } from './testing/software-authenticator.ts'
import { cookieOf, type Signed, type TestShell, testShell } from './testing/test-shell.ts'

const origin = 'https://care.example.org'
let shell: TestShell
beforeAll(async () => {
  shell = await testShell({ publicOrigin: origin })
})
afterAll(() => shell?.close())

const post = (url: string, payload: object, cookie?: string, host = 'inside:8080') =>
  shell.server.inject({
    ...{ method: 'POST', url, payload },
    headers: { host, 'sec-fetch-site': 'same-origin', ...(cookie === undefined ? {} : { cookie }) },
  })
const get = (url: string, cookie: string) => shell.server.inject({ url, headers: { cookie } })
type Answered = Awaited<ReturnType<typeof post>>
const codeOf = (answered: Answered): string | number =>
  answered.json().issue?.[0].details.coding[0].code ?? answered.statusCode
const cookieIn = (answered: Answered) => cookieOf(answered.headers['set-cookie'])
const giveP = ({ email, password }: Signed) => post('/api/auth/sign-in/email', { email, password })

interface Keyed extends Signed {
  readonly key: SoftwareAuthenticator
  readonly passkey: string
  readonly codes: readonly string[]
}

/** A member of staff who has taken a passkey on. */
async function withPasskey(roles: Parameters<TestShell['signIn']>[0] = ['nurse']): Promise<Keyed> {
  const signed = await shell.signIn(roles)
  const key = new SoftwareAuthenticator(origin)
  const made = await register(signed, key, { password: signed.password })
  expect(made.statusCode).toBe(201)
  const { id, codes } = made.json()
  return { ...signed, key, passkey: id, codes, cookie: cookieIn(made) }
}

async function register({ cookie }: { cookie: string }, key: SoftwareAuthenticator, proof: object, lies: Lies = {}) {
  const begun = await post('/api/v1/passkeys/begin', proof, cookie)
  if (begun.statusCode !== 200) return begun
  return post('/api/v1/passkeys', { name: 'My telephone', passkey: key.create(begun.json().options, lies) }, cookie)
}

async function signInAlone(key: SoftwareAuthenticator, lies: Lies = {}, begunHere?: Answered) {
  const begun = begunHere ?? (await post('/api/auth/sign-in/passkey/begin', {}))
  return post('/api/auth/sign-in/passkey', { passkey: key.get(begun.json().options, lies) }, cookieIn(begun))
}

async function secondStep(first: Answered, key: SoftwareAuthenticator, lies: Lies = {}) {
  const begun = await post('/api/auth/sign-in/second-factor/passkey/begin', {}, cookieIn(first))
  if (begun.statusCode !== 200) return begun
  const passkey = key.get(begun.json().options, lies)
  return post('/api/auth/sign-in/second-factor/passkey', { passkey }, cookieIn(first))
}

describe('passkeys > sign-in', () => {
  test('by a passkey alone opens a session that has proved its second factor, under a fresh token', async () => {
    const ana = await withPasskey(['nurse'])
    const begun = await post('/api/auth/sign-in/passkey/begin', {})
    const { options } = begun.json()
    expect(options).toMatchObject({ rpId: 'care.example.org', userVerification: 'required' })
    expect(options.allowCredentials).toBeUndefined()
    const opened = await signInAlone(ana.key, {}, begun)
    expect(opened.json()).toMatchObject({ next: 'signed-in', user: { id: ana.id } })
    const cookie = cookieIn(opened)
    expect(cookie).not.toBe(ana.cookie)
    expect((await get('/api/v1/me', cookie)).statusCode).toBe(200)
    const { rows } = await shell.engine.db.pool.query(
      'select second_factor_at, proved_at from auth.session where user_id = $1 order by created_at desc limit 1',
      [ana.id],
    )
    expect(rows[0]).toMatchObject({ second_factor_at: expect.any(Date), proved_at: expect.any(Date) })
  })

  test('by password asks for the passkey then, and gives no session before it', async () => {
    const ana = await withPasskey()
    const first = await giveP(ana)
    expect(first.json()).toEqual({ next: 'second-factor', factors: ['passkey', 'code'] })
    expect((await get('/api/v1/me', cookieIn(first))).statusCode).toBe(401)
    const second = await secondStep(first, ana.key)
    expect(second.json()).toMatchObject({ next: 'signed-in' })
    expect((await get('/api/v1/me', cookieIn(second))).statusCode).toBe(200)
    expect(codeOf(await secondStep(first, ana.key))).toBe('challenge-over')
  })

  test('a passkey satisfies the demand of a role, and backup codes are given with the first', async () => {
    const bo = await shell.signIn(['nurse'])
    await shell.identity.setRoles(shell.tenant, bo.id, ['compliance'])
    const again = await giveP(bo)
    expect(again.json().next).toBe('enrol-second-factor')
    const key = new SoftwareAuthenticator(origin)
    // Who has to enrol has just given the password.
    const made = await register({ cookie: cookieIn(again) }, key, {})
    expect(made.json().codes).toHaveLength(10)
    expect((await get('/api/v1/me', cookieIn(made))).statusCode).toBe(200)
    const byCode = await post(
      '/api/auth/sign-in/second-factor',
      { code: made.json().codes[0] },
      cookieIn(await giveP(bo)),
    )
    expect(byCode.json()).toMatchObject({ next: 'signed-in' })
  })
})

const lies: readonly (readonly [string, Lies])[] = [
  ['made for another origin', { origin: 'https://care.example.org.evil.example' }],
  ['made at our name without TLS', { origin: 'http://care.example.org' }],
  ['made for another site (RP ID)', { rpId: 'evil.example' }],
  ['that signs another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  ['without PIN or fingerprint (user verification)', { isVerified: false }],
  ['that nobody touched', { isPresent: false, isVerified: false }],
  ['of a registration in place of a sign-in', { type: 'webauthn.create' }],
]
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

describe('passkeys > an answer is not taken', () => {
  let one: Keyed
  let nobody: Signed
  beforeAll(async () => {
    ;[one, nobody] = [await withPasskey(), await shell.signIn(['nurse'])]
  })
  const deniedOf = async (id: string) =>
    (await shell.trail()).filter((each) => each.resourceId === id && each.outcome === 'denied').length

  test.each([...lies, ['that another key signed', { key: otherKey }] as const])('%s', async (_, lie) => {
    const before = await deniedOf(one.id)
    expect(codeOf(await signInAlone(one.key, lie))).toBe('passkey-refused')
    expect(codeOf(await secondStep(await giveP(one), one.key, lie))).toBe('passkey-refused')
    expect(await deniedOf(one.id)).toBe(before + 2)
    // Nothing of it is left behind: the honest answer still opens.
    expect((await signInAlone(one.key)).statusCode).toBe(200)
  })

  test.each(lies.slice(0, 6))('for a new passkey: %s', async (_, lie) => {
    const key = new SoftwareAuthenticator(origin)
    expect(codeOf(await register(nobody, key, { password: nobody.password }, lie))).toBe('passkey-refused')
    expect((await get('/api/v1/passkeys', nobody.cookie)).json().items).toEqual([])
  })

  test('twice: a challenge is used up by the first answer, right or wrong', async () => {
    const ana = await withPasskey()
    const begun = await post('/api/auth/sign-in/passkey/begin', {})
    const passkey = ana.key.get(begun.json().options)
    const send = () => post('/api/auth/sign-in/passkey', { passkey }, cookieIn(begun))
    expect((await send()).statusCode).toBe(200)
    expect(codeOf(await send())).toBe('passkey-refused')
    const next = await post('/api/auth/sign-in/passkey/begin', {})
    expect(codeOf(await signInAlone(ana.key, { isVerified: false }, next))).toBe('passkey-refused')
    expect(codeOf(await signInAlone(ana.key, {}, next))).toBe('passkey-refused')
  })

  test('late, from another browser, or for another purpose than it was asked for', async () => {
    const ana = await withPasskey()
    const late = await post('/api/auth/sign-in/passkey/begin', {})
    await shell.clock.advance(5 * 60_000)
    expect(codeOf(await signInAlone(ana.key, {}, late))).toBe('passkey-refused')
    const [mine, theirs] = [
      await post('/api/auth/sign-in/passkey/begin', {}),
      await post('/api/auth/sign-in/passkey/begin', {}),
    ]
    const passkey = ana.key.get(mine.json().options)
    // The cookie of another browser, and none.
    expect(codeOf(await post('/api/auth/sign-in/passkey', { passkey }, cookieIn(theirs)))).toBe('passkey-refused')
    expect(codeOf(await post('/api/auth/sign-in/passkey', { passkey }))).toBe('passkey-refused')
    const forSession = (await post('/api/v1/session/passkey', {}, ana.cookie)).json().options
    const asSignIn = { passkey: ana.key.get(forSession) }
    expect(codeOf(await post('/api/auth/sign-in/passkey', asSignIn, cookieIn(mine)))).toBe('passkey-refused')
  })

  test('of another person: neither after their password nor in their session', async () => {
    const [ana, bo] = [await withPasskey(), await withPasskey()]
    expect(codeOf(await secondStep(await giveP(ana), bo.key))).toBe('passkey-refused')
    const { options } = (await post('/api/v1/session/passkey', {}, ana.cookie)).json()
    const shown = { passkey: bo.key.get(options) }
    expect(codeOf(await post('/api/v1/session/step-up', shown, ana.cookie))).toBe('passkey-refused')
    const lied = { userHandle: Buffer.from(ana.id).toString('base64url') }
    expect(codeOf(await signInAlone(bo.key, lied))).toBe('passkey-refused')
    const again = new SoftwareAuthenticator(origin)
    expect(codeOf(await register(ana, again, { password: ana.password }))).toBe('second-factor-refused')
  })

  test('whose counter went back: the passkey is set aside, its person is told and the trail tells', async () => {
    const ana = await withPasskey()
    expect((await signInAlone(ana.key)).statusCode).toBe(200)
    expect((await signInAlone(ana.key)).statusCode).toBe(200)
    // Without the key nobody has it set aside.
    expect(codeOf(await signInAlone(ana.key, { counter: 1, key: otherKey }))).toBe('passkey-refused')
    expect((await signInAlone(ana.key)).statusCode).toBe(200)
    expect(codeOf(await signInAlone(ana.key, { counter: 2 }))).toBe('passkey-suspected')
    expect(codeOf(await signInAlone(ana.key))).toBe('passkey-suspected')
    expect((await get('/api/v1/passkeys', ana.cookie)).json().items).toMatchObject([{ isSuspected: true }])
    const told = (await shell.trail()).filter((each) => each.resourceId === ana.passkey)
    expect(told.map(({ action, outcome }) => `${action} ${outcome}`)).toContain('denied denied')
    // The password alone does not do now: the second step stays, by a backup code.
    const first = await giveP(ana)
    expect(first.json()).toEqual({ next: 'second-factor', factors: ['code'] })
    expect(codeOf(await secondStep(first, ana.key))).toBe('passkey-none')
  })
})

describe('passkeys > of an account', () => {
  test('are made with the password, and with what there is already; named in a list that no database reads', async () => {
    const signed = await shell.signIn(['nurse'])
    const key = new SoftwareAuthenticator(origin)
    expect(codeOf(await register(signed, key, {}))).toBe('sign-in-refused')
    const made = await register(signed, key, { password: signed.password })
    // What was signed in before goes on under another token only.
    expect((await get('/api/v1/me', signed.cookie)).statusCode).toBe(401)
    const cookie = cookieIn(made)
    const second = new SoftwareAuthenticator(origin)
    expect(codeOf(await register({ cookie }, second, { password: signed.password }))).toBe('second-factor-refused')
    const { options } = (await post('/api/v1/session/passkey', {}, cookie)).json()
    const both = await register({ cookie }, second, { password: signed.password, passkey: key.get(options) })
    expect(both.json().codes).toEqual([])
    const { items } = (await get('/api/v1/passkeys', cookieIn(both))).json()
    expect(items.map((each: { name: string }) => each.name)).toEqual(['My telephone', 'My telephone'])
    const { rows } = await shell.engine.db.pool.query('select t::text as line from auth.passkey t')
    for (const { line } of rows) expect(line).not.toContain(Buffer.from('My telephone').toString('hex'))
    for (const { line } of rows) expect(line).not.toContain('My telephone')
  })

  test('one that is registered already is not registered twice, by whomever', async () => {
    const ana = await withPasskey()
    const bo = await shell.signIn(['nurse'])
    expect(codeOf(await register(bo, ana.key, { password: bo.password }))).toBe('passkey-refused')
  })

  test('are given up with password and passkey; not the last one where the role needs it, and never anothers', async () => {
    const ana = await withPasskey()
    const admin = await shell.signIn(['administrator'])
    const remove = async (who: { cookie: string }, id: string, proof: object) =>
      codeOf(await post(`/api/v1/passkeys/${id}/remove`, proof, who.cookie))
    expect(await remove(admin, ana.passkey, { password: admin.password })).toBe('passkey-not-found')
    expect(await remove(ana, ana.passkey, { password: ana.password })).toBe('second-factor-refused')
    const { options } = (await post('/api/v1/session/passkey', {}, ana.cookie)).json()
    const proof = { password: ana.password, passkey: ana.key.get(options) }
    await shell.identity.setRoles(shell.tenant, ana.id, ['compliance'])
    expect(await remove(ana, ana.passkey, proof)).toBe('second-factor-needed')
    await shell.identity.setRoles(shell.tenant, ana.id, ['nurse'])
    expect((await post(`/api/v1/passkeys/${ana.passkey}/remove`, proof, ana.cookie)).statusCode).toBe(204)
    expect(codeOf(await signInAlone(ana.key))).toBe('passkey-refused')
    expect((await giveP(ana)).json().next).toBe('signed-in')
  })

  test('unlock a locked session, and are taken off with a reset of the second factor', async () => {
    const ana = await withPasskey()
    await post('/api/v1/session/lock', {}, ana.cookie)
    const { options } = (await post('/api/v1/session/passkey', {}, ana.cookie)).json()
    const unlocked = await post('/api/v1/session/unlock', { passkey: ana.key.get(options) }, ana.cookie)
    expect(unlocked.statusCode).toBe(204)
    expect((await get('/api/v1/me', cookieIn(unlocked))).statusCode).toBe(200)
    await shell.identity.resetSecondFactor(shell.tenant, ana.id)
    expect((await get('/api/v1/me', cookieIn(unlocked))).statusCode).toBe(401)
    expect(codeOf(await signInAlone(ana.key))).toBe('passkey-refused')
  })
})

test('passkeys > are for the configured address or localhost, never for what a request calls us', async () => {
  const plain = await testShell()
  try {
    const begin = async (host: string) => {
      const answered = await plain.server.inject({
        ...{ method: 'POST', url: '/api/auth/sign-in/passkey/begin', payload: {} },
        headers: { host, 'sec-fetch-site': 'same-origin' },
      })
      return answered.statusCode === 200 ? answered.json().options.rpId : codeOf(answered)
    }
    expect(await begin('localhost:8080')).toBe('localhost')
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1:8080', 'localhost:80@evil.example'])
      expect([host, await begin(host)]).toEqual([host, 'passkey-not-here'])
  } finally {
    await plain.close()
  }
  const begun = await post('/api/auth/sign-in/passkey/begin', {}, undefined, 'evil.example')
  expect(begun.json().options.rpId).toBe('care.example.org')
})

test('passkeys > who guesses codes keeps nobody from their passkey', async () => {
  const ana = await withPasskey()
  const guesser = async () => post('/api/auth/sign-in/second-factor', { code: '000000' }, cookieIn(await giveP(ana)))
  const answers: (string | number)[] = []
  for (let each = 0; each < 7; each += 1) answers.push(codeOf(await guesser()))
  expect(answers.at(-1)).toBe('sign-in-throttled')
  expect(
    codeOf(await post('/api/auth/sign-in/second-factor', { code: ana.codes[0] }, cookieIn(await giveP(ana)))),
  ).toBe('sign-in-throttled')
  expect((await secondStep(await giveP(ana), ana.key)).json()).toMatchObject({ next: 'signed-in' })
})
