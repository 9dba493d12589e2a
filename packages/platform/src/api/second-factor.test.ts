import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { currentCode } from '../identity/index.ts'
import { cookieOf, enrol, type Signed, type TestShell, testShell } from './testing/test-shell.ts'

let shell: TestShell
beforeAll(async () => {
  shell = await testShell()
})
afterAll(() => shell?.close())

const json = (cookie?: string) => ({ 'sec-fetch-site': 'same-origin', ...(cookie === undefined ? {} : { cookie }) })
const post = (url: string, payload: object, cookie?: string) =>
  shell.server.inject({ method: 'POST', url, payload, headers: json(cookie) })
const get = (url: string, cookie: string) => shell.server.inject({ url, headers: { cookie } })
type Answered = Awaited<ReturnType<typeof post>>
const codeOf = (answered: Answered): string => answered.json().issue?.[0].details.coding[0].code ?? answered.statusCode
const code = (secret: string, later = 0) => currentCode(secret, shell.clock.now(), later)
const password = ({ email, password }: Signed) => post('/api/auth/sign-in/email', { email, password })
const secondStep = (first: Answered, code: string) =>
  post('/api/auth/sign-in/second-factor', { code }, cookieOf(first.headers['set-cookie']))

/** An administrator whose enrolment lies a while back. */
async function administrator(): Promise<Signed & { secret: string }> {
  const made = await shell.signIn(['administrator'])
  await shell.clock.advance(90_000)
  return { ...made, secret: made.secret! }
}

describe('identity > sign-in with a second factor', () => {
  test('gives no session before the code', async () => {
    const ana = await administrator()
    const before = await sessionsOf(ana.id)
    const first = await password(ana)
    expect(first.json()).toEqual({ next: 'second-factor', factors: ['code'] })
    const [cookie, ...more] = [first.headers['set-cookie']].flat()
    expect(more).toEqual([])
    expect(cookie).toMatch(/^careloop\.second_factor=clstep_[^;]+; Max-Age=300; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(await sessionsOf(ana.id)).toEqual(before)
    expect((await get('/api/v1/me', cookieOf(cookie))).statusCode).toBe(401)

    const second = await secondStep(first, code(ana.secret))
    expect(second.json()).toMatchObject({ next: 'signed-in', user: { id: ana.id } })
    expect((await get('/api/v1/users', cookieOf(second.headers['set-cookie']))).statusCode).toBe(200)
  })

  test('takes a code once, and a challenge once', async () => {
    const ana = await administrator()
    const first = await password(ana)
    const now = code(ana.secret)
    expect((await secondStep(first, now)).statusCode).toBe(200)
    expect(codeOf(await secondStep(first, code(ana.secret, 1)))).toBe('challenge-over')
    const again = await password(ana)
    expect(codeOf(await secondStep(again, now))).toBe('second-factor-refused')
    expect((await secondStep(again, code(ana.secret, 1))).statusCode).toBe(200)
    // The step before, not yet used, is refused too: it lies before the newest that was taken.
    expect(codeOf(await secondStep(await password(ana), code(ana.secret, -1)))).toBe('second-factor-refused')
  })

  test('of the same code from two places at once lets one in', async () => {
    const ana = await administrator()
    const firsts = await Promise.all([password(ana), password(ana)])
    const answers = await Promise.all(firsts.map((first) => secondStep(first, code(ana.secret))))
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 401])
  })

  test('takes five minutes and five wrong codes, then wants the password again', async () => {
    const ana = await administrator()
    const slow = await password(ana)
    await shell.clock.advance(5 * 60_000)
    expect(codeOf(await secondStep(slow, code(ana.secret)))).toBe('challenge-over')
    const first = await password(ana)
    for (let each = 0; each < 5; each += 1) expect(codeOf(await secondStep(first, '000000'))).toMatch(/refused$/)
    expect(codeOf(await secondStep(first, code(ana.secret)))).toBe('challenge-over')
    const slowed = await secondStep(await password(ana), code(ana.secret))
    expect(codeOf(slowed)).toBe('sign-in-throttled')
    expect(Number(slowed.headers['retry-after'])).toBeGreaterThan(0)
    await shell.clock.advance(15_000)
    expect((await secondStep(await password(ana), code(ana.secret))).statusCode).toBe(200)
  })

  test('writes wrong codes to the trail, without the code', async () => {
    const ana = await administrator()
    await secondStep(await password(ana), '123454')
    const told = (await shell.trail()).filter((entry) => entry.resourceId === ana.id)
    expect([told[0]!.resource, told[0]!.action, told[0]!.outcome]).toEqual(['second-factor', 'login', 'denied'])
    expect(JSON.stringify(told)).not.toContain('123454')
  })

  test('opens by each backup code once', async () => {
    const ana = await shell.signIn(['nurse'])
    const { secret } = (await post('/api/v1/second-factor/begin', { password: ana.password }, ana.cookie)).json()
    const { codes } = (await post('/api/v1/second-factor/confirm', { code: code(secret) }, ana.cookie)).json()
    expect(codes).toHaveLength(10)
    expect(new Set(codes).size).toBe(10)
    const typed = codes[3].toLowerCase().replace('-', ' ')
    const opened = await secondStep(await password(ana), typed)
    expect(opened.statusCode).toBe(200)
    expect(codeOf(await secondStep(await password(ana), typed))).toBe('second-factor-refused')
    const own = await get('/api/v1/second-factor', cookieOf(opened.headers['set-cookie']))
    expect(own.json()).toEqual({
      ...{ isOn: true, hasApp: true, passkeys: 0, isNeeded: false, backupCodesLeft: 9, atProvider: null },
    })
  })
})

describe('identity > an administrator without a second factor', () => {
  const fresh = async () => {
    const made = await shell.signIn(['nurse'])
    await shell.identity.setRoles(shell.tenant, made.id, ['nurse', 'administrator'])
    // It is set up by who has just given the password, never by who finds a desk open.
    expect((await get('/api/v1/second-factor', made.cookie)).statusCode).toBe(401)
    return { ...made, cookie: cookieOf((await password(made)).headers['set-cookie']) }
  }

  test('can do nothing else than set one up', async () => {
    const { cookie } = await fresh()
    const tried = shell.server.routes.filter(({ policy }) => typeof policy === 'object' || policy === 'signed-in')
    expect(tried.length).toBeGreaterThan(10)
    for (const { method, url } of tried) {
      const answered = await shell.server.inject({
        ...{ method, url: url.replaceAll(/:\w+/g, shell.tenant), headers: json(cookie) },
        ...(method === 'GET' || method === 'DELETE' ? {} : { payload: {} }),
      })
      expect([method, url, answered.statusCode, codeOf(answered)]).toEqual([method, url, 403, 'second-factor-needed'])
    }
    expect((await get('/api/v1/second-factor', cookie)).json()).toEqual({
      ...{ isOn: false, hasApp: false, passkeys: 0, isNeeded: true, backupCodesLeft: 0, atProvider: null },
    })
  })

  test('goes on under another cookie once it is set up; other sessions end', async () => {
    const ana = await fresh()
    const other = cookieOf((await password(ana)).headers['set-cookie'])
    const { cookie } = await enrol(shell.server, ana.cookie, shell.clock.now())
    expect((await get('/api/v1/users', cookie)).statusCode).toBe(200)
    expect((await get('/api/v1/second-factor', ana.cookie)).statusCode).toBe(401)
    expect((await get('/api/v1/second-factor', other)).statusCode).toBe(401)
  })

  test('cannot give it up again, and moves it only with password and code', async () => {
    const ana = await administrator()
    const proof = () => ({ password: ana.password, code: code(ana.secret) })
    expect(codeOf(await post('/api/v1/second-factor/remove', proof(), ana.cookie))).toBe('second-factor-needed')
    for (const part of [{}, { password: ana.password }, { password: 'wrong', code: code(ana.secret) }])
      expect((await post('/api/v1/second-factor/begin', part, ana.cookie)).statusCode).toBe(401)
    const { secret } = (await post('/api/v1/second-factor/begin', proof(), ana.cookie)).json()
    // The old one holds until a code of the new one was given.
    expect((await secondStep(await password(ana), code(ana.secret, 1))).statusCode).toBe(200)
    expect(codeOf(await post('/api/v1/second-factor/confirm', { code: '000000' }, ana.cookie))).toMatch(/refused$/)
    expect((await post('/api/v1/second-factor/confirm', { code: code(secret) }, ana.cookie)).statusCode).toBe(200)
    await shell.clock.advance(90_000)
    expect((await secondStep(await password(ana), code(ana.secret))).statusCode).toBe(401)
    expect((await secondStep(await password(ana), code(secret))).statusCode).toBe(200)
  })
})

describe('identity > a lost second factor', () => {
  test('is taken off by another administrator, which ends the sessions and stands in the trail', async () => {
    const [ana, bo] = [await administrator(), await administrator()]
    const reset = (of: string, cookie: string) =>
      shell.server.inject({ method: 'DELETE', url: `/api/v1/users/${of}/second-factor`, headers: json(cookie) })
    expect(codeOf(await reset(bo.id, bo.cookie))).toBe('not-allowed')
    expect((await reset(ana.id, bo.cookie)).statusCode).toBe(204)
    expect((await get('/api/v1/me', ana.cookie)).statusCode).toBe(401)
    const again = await password(ana)
    expect(again.json().next).toBe('enrol-second-factor')
    expect(codeOf(await get('/api/v1/me', cookieOf(again.headers['set-cookie'])))).toBe('second-factor-needed')
    const told = (await shell.trail()).find((each) => each.resourceId === ana.id && each.action === 'revoke')
    expect([told?.actor, told?.resource]).toEqual([`staff:${bo.id}`, 'second-factor'])
  })

  test('is not taken off by who may less, nor in another organisation', async () => {
    const ana = await administrator()
    const url = `/api/v1/users/${ana.id}/second-factor`
    const weak = await shell.token(['user:update'])
    expect((await shell.server.inject({ method: 'DELETE', url, headers: { authorization: weak } })).statusCode).toBe(
      403,
    )
    const elsewhere = await shell.identity.createTenant('Ward 12')
    const bo = await shell.signIn(['administrator'], elsewhere)
    expect((await shell.server.inject({ method: 'DELETE', url, headers: json(bo.cookie) })).statusCode).toBe(404)
  })
})

test('identity > the database holds neither secrets nor backup codes that could be read', async () => {
  const ana = await shell.signIn(['physician'])
  const { secret } = (await post('/api/v1/second-factor/begin', { password: ana.password }, ana.cookie)).json()
  const { codes } = (await post('/api/v1/second-factor/confirm', { code: code(secret) }, ana.cookie)).json()
  const text: string[] = []
  for (const table of ['second_factor', 'backup_code', 'challenge', 'throttle', 'session']) {
    const { rows } = await shell.engine.db.pool.query<{ line: string }>(`select t::text as line from auth.${table} t`)
    text.push(...rows.map(({ line }) => line.toLowerCase()))
  }
  expect(text.length).toBeGreaterThan(10)
  const forms = [secret, ...codes, ...codes.map((each: string) => each.replace('-', ''))]
  for (const form of forms) expect(text.some((line) => line.includes(String(form).toLowerCase()))).toBe(false)
})

const sessionsOf = async (user: string): Promise<unknown[]> =>
  (await shell.engine.db.pool.query('select id from auth.session where user_id = $1 order by id', [user])).rows
