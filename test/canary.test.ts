/**
 * Names, medical record numbers, passwords and tokens are seeded into everything that takes input, well-formed and not; then
 * everything that operators, proxies and backups see is searched for them.
 */
import { request } from 'node:http'
import { expect, test } from 'vitest'
import { type Canary, makeCanary } from '../packages/platform/src/api/testing/canary.ts'
import { cookieOf, enrol, type TestShell, testShell } from '../packages/platform/src/api/testing/test-shell.ts'
import { things } from '../packages/platform/src/api/testing/things.ts'
import { makeSubjects } from '../packages/platform/src/subjects/index.ts'
import { subjectsRoutes } from '../packages/platform/src/subjects/routes.ts'

const family = 'Zwitscherling'
const mrn = 'MRN-7730-4419'
const street = 'Kanarienvogelgasse 12'
const phone = '+43 660 7730441'

const patient = {
  timeZone: 'Europe/Vienna',
  resource: {
    resourceType: 'Patient',
    name: [{ family, given: ['Piepsine'] }],
    identifier: [{ system: 'urn:oid:2.16.840.1.113883.19.5', value: mrn }],
    telecom: [{ system: 'phone', value: phone }],
    address: [{ line: [street] }],
    birthDate: '1951-03-07',
  },
}

test('canary > seeded names, MRNs and tokens never appear in logs, errors, metrics, URLs or tables', async () => {
  const shell = await testShell({
    routes: (identity, engine) => [
      ...things,
      ...subjectsRoutes(makeSubjects(engine, (tenant) => identity.members(tenant))),
    ],
  })
  try {
    const canary = makeCanary()
    for (const [name, value] of Object.entries({ family, given: 'Piepsine', mrn, street, phone }))
      canary.seed(name, value)
    const base = await shell.server.listen(0, '127.0.0.1')
    const ask = asker(base, canary)
    const session = await signInAndSeed(shell, canary, ask)

    // Well-formed: taken in, found, shown.
    const made = await ask('POST', '/api/v1/subjects', { cookie: session }, patient)
    expect(made.status).toBe(201)
    const { id } = JSON.parse(made.body) as { id: string }
    const found = await ask('POST', '/api/v1/subjects/search', { cookie: session }, { text: family })
    expect(found.body).toContain(family)
    expect((await ask('GET', `/api/v1/subjects/${id}`, { cookie: session })).body).toContain(mrn)

    // The same identifier again: PostgreSQL's own message would quote the values.
    expect((await ask('POST', '/api/v1/subjects', { cookie: session }, patient)).status).toBeGreaterThanOrEqual(400)
    for (const [url, payload] of malformed()) {
      const refused = await ask('POST', url, { cookie: session }, payload)
      expect([url, refused.status >= 400]).toEqual([url, true])
    }
    for (const url of misplaced())
      await ask('GET', url, { cookie: session, referer: `${base}/subjects?name=${family}` })
    await ask('GET', '/api/v1/me', {
      authorization: `Bearer ${canary.seed('unknown token', 'cls_unknown-token-of-somebody')}`,
    })

    canary.hear('metrics', await shell.engine.watch.metrics.metrics())
    canary.hear('log', shell.lines.join('\n'))
    expect(shell.lines.length).toBeGreaterThan(20)
    expect(await canary.hearTables(shell.engine.db.pool, ['tenant', 'engine'])).toBeGreaterThan(10)
    expect(canary.leaks).toEqual([])
  } finally {
    await shell.close()
  }
})

test('canary > the canary itself hears each spelling of a leak', () => {
  const canary = makeCanary()
  canary.seed('street', street)
  canary.hear('plain', `at ${street.toUpperCase()}!`)
  canary.hear('url', `/x?q=${encodeURIComponent(street)}`)
  canary.hear('form', `q=${street.replaceAll(' ', '+')}`)
  canary.hear('hex', Buffer.from(`..${street}`).toString('hex'))
  for (const before of ['', 'a', 'ab'])
    canary.hear(`base64 ${before.length}`, Buffer.from(`${before}${street}xyz`).toString('base64'))
  canary.hear('nothing', 'at another street')
  const heard = canary.leaks.map((leak) => leak.where)
  expect(heard).toEqual(['plain', 'url', 'form', 'hex', 'base64 0', 'base64 1', 'base64 2'])
})

type Ask = ReturnType<typeof asker>

/** Asks over a real socket; hears every error body and every URL that an answer carries. */
function asker(base: string, canary: Canary) {
  return (method: string, path: string, headers: Record<string, string> = {}, payload?: unknown) =>
    new Promise<{ status: number; body: string; cookies: string[] }>((resolve, reject) => {
      const sent = typeof payload === 'string' ? payload : JSON.stringify(payload)
      const typed = payload === undefined ? {} : { 'content-type': 'application/json' }
      const asked = request(new URL(base), {
        ...{ method, path },
        headers: { 'sec-fetch-site': 'same-origin', ...typed, ...headers },
      })
      asked.on('error', reject)
      asked.on('response', async (answered) => {
        const status = answered.statusCode ?? 0
        const body = (await answered.toArray()).join('')
        if (status >= 400) canary.hear(`body of ${status}`, body)
        canary.hear('answer headers', JSON.stringify({ ...answered.headers, 'set-cookie': undefined }))
        resolve({ status, body, cookies: answered.headers['set-cookie'] ?? [] })
      })
      asked.end(sent)
    })
}

/** @returns the cookie of an administrator who also treats; passwords, cookie and tokens are seeds from here on */
async function signInAndSeed(shell: TestShell, canary: Canary, ask: Ask): Promise<string> {
  const password = canary.seed('password', 'correct horse canary staple')
  const email = canary.seed('staff e-mail', 'piep.canary@ward.example')
  await shell.identity.createUser({
    tenant: shell.tenant,
    email,
    displayName: 'Piep',
    roles: ['administrator', 'nurse'],
    password,
  })
  const wrong = canary.seed('wrong password', 'a wrong canary password')
  expect((await ask('POST', '/api/auth/sign-in/email', {}, { email, password: wrong })).status).toBe(401)
  await ask('POST', '/api/auth/sign-in/email', {}, { email: 'nobody.canary@ward.example', password })
  const signedIn = await ask('POST', '/api/auth/sign-in/email', {}, { email, password })
  expect(signedIn.status).toBe(200)
  const { cookie, secret } = await enrol(shell.server, cookieOf(signedIn.cookies), shell.clock.now())
  canary.seed("secret of the administrator's second factor", secret)
  canary.seed('session cookie', cookie.split('=')[1]!)
  canary.seed('session token', decodeURIComponent(cookie.split('=')[1]!).split('.')[0]!)
  const token = await ask('POST', '/api/v1/service-tokens', { cookie }, { name: 'bridge', scopes: ['subject:read'] })
  canary.seed('service token', (JSON.parse(token.body) as { token: string }).token)
  canary.seed('setup token', 'clsetup_canary-canary-canary')
  await ask(
    'POST',
    '/api/v1/setup',
    {},
    { token: 'clsetup_canary-canary-canary', tenantName: family, displayName: family, email, password },
  )
  return cookie
}

const malformed = (): readonly (readonly [url: string, payload: unknown])[] => [
  ['/api/v1/subjects', `{"resource": {"name": "${family}", "mrn": ${mrn}`],
  ['/api/v1/subjects', { ...patient, [family]: mrn }],
  ['/api/v1/subjects', { ...patient, timeZone: street }],
  ['/api/v1/subjects', { ...patient, resource: { ...patient.resource, birthDate: family } }],
  ['/api/v1/subjects', { ...patient, resource: { ...patient.resource, resourceType: family } }],
  ['/api/v1/subjects', { ...patient, site: mrn }],
  ['/api/v1/subjects/search', { text: { [family]: mrn } }],
  [`/api/v1/subjects/${mrn}/none`, patient],
  ['/api/v1/device-door', patient],
  ['/api/v1/service-tokens', { name: family, scopes: [mrn] }],
]

/** Where nobody should put a name, and somebody will. */
const misplaced = (): string[] => [
  `/api/v1/subjects/${encodeURIComponent(family)}`,
  `/api/v1/subjects?name=${family}&identifier=${encodeURIComponent(mrn)}`,
  `/subjects/${encodeURIComponent(`${family} ${street}`)}`,
  `/${encodeURIComponent(mrn)}.js`,
  `/api/v1/failing/bug?name=${family}`,
  `/api/v1/failing/${family}`,
  `/api/v1/live?after=${family}`,
  `/%ff${family}`,
]
