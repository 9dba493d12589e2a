import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { OperationOutcome } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Route } from '../identity/index.ts'
import { makeApiServer } from './index.ts'
import { type TestShell, testShell } from './testing/test-shell.ts'
import { seen, things } from './testing/things.ts'

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
let shell: TestShell
let token: string
beforeAll(async () => {
  shell = await testShell({ routes: () => things, operatorToken: 'operator-secret-operator-secret' })
  token = await shell.token(['device:update'])
})
afterAll(() => shell.close())

const ask = (payload: unknown, headers: Record<string, string> = {}, url = `/api/v1/things/${id}`) =>
  shell.server.inject({
    method: 'POST',
    url,
    payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
    headers: { authorization: token, 'content-type': 'application/json', ...headers },
  })
const codeOf = (answered: { json(): unknown }) => {
  const outcome = OperationOutcome.parse(answered.json())
  return [outcome.issue[0]!.details.coding[0]!.code, ...(outcome.issue[0]!.expression ?? [])]
}

describe('api > a good request', () => {
  test('reaches its handler parsed, and is answered with what was declared and no more', async () => {
    const answered = await ask({ label: 'pump' }, {}, `/api/v1/things/${id}?max=5`)
    expect(answered.statusCode).toBe(200)
    expect(answered.json()).toEqual({ id, max: 5, label: 'pump' })
    expect(answered.headers).toMatchObject({ etag: '"1"', 'cache-control': 'no-store' })
  })

  test('may be gzipped', async () => {
    const answered = await ask(gzipSync(JSON.stringify({ label: 'pump' })), { 'content-encoding': 'gzip' })
    expect(answered.json().label).toBe('pump')
  })

  test('is answered with headers that keep pages and frames of others out', async () => {
    const { headers } = await ask({ label: 'pump' }, { origin: 'http://localhost:80' })
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['content-security-policy']).not.toContain('unsafe-inline')
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
    expect(headers['access-control-allow-origin']).toBeUndefined()
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('api > a bad request is refused with a code and a pointer', () => {
  test.each<[what: string, payload: unknown, url: string | undefined, expected: string[]]>([
    ['a field of the wrong type', { label: 5 }, undefined, ['request-invalid', '/body/label']],
    [
      'a deep field',
      { label: 'a', parts: [{ mg: 1 }, { mg: -2 }] },
      undefined,
      ['request-invalid', '/body/parts/1/mg'],
    ],
    ['a field that is not known', { label: 'a', lable: 'b' }, undefined, ['request-invalid', '/body']],
    ['a query out of range', { label: 'a' }, `/api/v1/things/${id}?max=101`, ['request-invalid', '/query/max']],
    ['an id that is none', { label: 'a' }, '/api/v1/things/7', ['request-invalid', '/params/id']],
    ['a body that is not JSON', '{"label": Canary}', undefined, ['body-not-json', '/body']],
    ['a text with U+0000', '{"label": "a\\u0000b"}', undefined, ['request-invalid', '/body']],
    ['a query with U+0000', { label: 'a' }, `/api/v1/things/${id}?max=%00`, ['request-invalid', '/query']],
    ['no body', '', undefined, ['body-not-json', '/body']],
  ])('%s', async (_what, payload, url, expected) => {
    const answered = await ask(payload, {}, url)
    expect(answered.statusCode).toBe(400)
    expect(codeOf(answered)).toEqual(expected)
    expect(answered.body).not.toMatch(/Canary|lable/)
  })

  test('a body that is nested deeply', async () => {
    const deep = `{"label":${'['.repeat(900)}${']'.repeat(900)}}`
    expect(codeOf(await ask(deep))).toEqual(['request-invalid', '/body'])
  })

  test('all that is wrong is told at once, up to a bound', async () => {
    const answered = await ask({ label: 5, parts: Array.from({ length: 50 }, () => ({ mg: -1 })) })
    expect(answered.json().issue.length).toBe(20)
  })

  test('another media type, an unknown encoding, too large a body', async () => {
    expect(codeOf(await ask('label=a', { 'content-type': 'text/plain' }))).toEqual(['media-type-unsupported'])
    expect(codeOf(await ask('{}', { 'content-encoding': 'br' }))).toEqual(['encoding-unsupported'])
    const large = await ask({ label: 'a', more: 'x'.repeat(2_000) })
    expect([large.statusCode, ...codeOf(large)]).toEqual([413, 'body-too-large', '/body'])
    const bomb = await ask(gzipSync(Buffer.alloc(500_000)), { 'content-encoding': 'gzip' })
    expect(codeOf(bomb)).toEqual(['body-too-large', '/body'])
  })

  test('an unknown place and an unknown method', async () => {
    const nowhere = await shell.server.inject('/api/v1/nowhere')
    expect([nowhere.statusCode, ...codeOf(nowhere)]).toEqual([404, 'route-not-found'])
    const method = await shell.server.inject({ method: 'DELETE', url: `/api/v1/things/${id}` })
    expect(codeOf(method)).toEqual(['route-not-found'])
  })

  test('a path that cannot be decoded', async () => {
    const answered = await shell.server.inject('/api/v1/things/%ff')
    expect([answered.statusCode, ...codeOf(answered)]).toEqual([400, 'request-invalid'])
  })
})

describe('api > a failure', () => {
  test('of a room keeps its status, code and pointer', async () => {
    const answered = await shell.server.inject('/api/v1/failing/missing')
    expect([answered.statusCode, ...codeOf(answered)]).toEqual([404, 'thing-not-found', '/params/id'])
    expect(answered.json().issue[0].diagnostics).toBe('No such thing. Check the id.')
  })

  test('that passes says when to come back', async () => {
    const answered = await shell.server.inject('/api/v1/failing/busy')
    expect([answered.statusCode, answered.headers['retry-after']]).toEqual([503, '7'])
  })

  test.each(['bug', 'wrong-answer'])(
    'that is a %s tells nothing but the request id, which the log knows',
    async (how) => {
      const answered = await shell.server.inject(`/api/v1/failing/${how}`)
      expect([answered.statusCode, ...codeOf(answered)]).toEqual([500, 'internal'])
      expect(answered.body).not.toMatch(/Canary|select|zod/i)
      const requestId = answered.headers['x-request-id'] as string
      expect(answered.body).toContain(requestId)
      expect(shell.lines.filter((line) => line.includes(requestId)).length).toBeGreaterThan(0)
    },
  )
})

describe('api > who asks', () => {
  const at = (headers: Record<string, string>, url = `/api/v1/things/${id}`) =>
    shell.server.inject({ method: 'POST', url, payload: { label: 'a' }, headers })

  test('nobody is asked to sign in; who may not is told what is missing', async () => {
    const nobody = await at({})
    expect([nobody.statusCode, ...codeOf(nobody)]).toEqual([401, 'not-signed-in'])
    expect(nobody.headers['www-authenticate']).toMatch(/^Bearer/)
    const other = await at({ authorization: await shell.token(['device:read']) })
    expect([other.statusCode, ...codeOf(other)]).toEqual([403, 'not-allowed'])
    expect(other.json().issue[0].diagnostics).toContain('device:update')
  })

  test('a session cannot be used from a page elsewhere', async () => {
    const { cookie } = await shell.signIn(['biomed'])
    expect((await at({ cookie, 'sec-fetch-site': 'same-origin' })).statusCode).toBe(200)
    expect(codeOf(await at({ cookie, 'sec-fetch-site': 'cross-site' }))).toEqual(['cross-origin'])
    expect(codeOf(await at({ cookie, origin: 'https://evil.example' }))).toEqual(['cross-origin'])
  })

  test('a device reaches its own door and nothing else; staff and services do not reach the device door', async () => {
    const { createHash } = await import('node:crypto')
    const secret = 'cld_abcdefghijklmnopqrstuvwxyz0123456789'
    shell.devices.set(createHash('sha256').update(secret).digest('hex'), {
      tenant: shell.tenant,
      device: id,
      name: 'cuff-1',
      profile: 'generic',
      classification: 'medical',
      credential: id,
    })
    const device = { authorization: `Bearer ${secret}` }
    const door = await at({ ...device, 'content-type': 'application/senml+json' }, '/api/v1/device-door')
    expect(door.json()).toEqual({ device: 'cuff-1', bytes: 13, mediaType: 'application/senml+json' })
    expect(codeOf(await at(device))).toEqual(['not-allowed'])
    expect(codeOf(await at({ authorization: token }, '/api/v1/device-door'))).toEqual(['not-allowed'])
    expect(codeOf(await at({ authorization: 'Bearer cld_unknownunknown' }, '/api/v1/device-door'))).toEqual([
      'token-refused',
    ])
  })

  test('a refusal of somebody known stands in the trail, by pattern, and is counted', async () => {
    const { cookie, id: user } = await shell.signIn(['nurse'])
    const refused = await at({ cookie, 'sec-fetch-site': 'same-origin' })
    const trail = await shell.trail()
    expect(trail.filter((entry) => entry.requestId === refused.headers['x-request-id'])).toMatchObject([
      {
        actor: `staff:${user}`,
        action: 'denied',
        outcome: 'denied',
        resource: 'route',
        resourceId: 'POST:/api/v1/things/:id',
      },
    ])
    const metrics = await shell.engine.watch.metrics.metrics()
    expect(metrics).toMatch(/careloop_http_refused_total\{route="\/api\/v1\/things\/:id",code="not-allowed"\} [1-9]/)
  })

  test('who asks too often waits, others do not', async () => {
    const rare = (remoteAddress: string) => shell.server.inject({ method: 'POST', url: '/api/v1/rare', remoteAddress })
    expect((await rare('10.0.0.1')).statusCode).toBe(204)
    expect((await rare('10.0.0.1')).statusCode).toBe(204)
    const third = await rare('10.0.0.1')
    expect([third.statusCode, ...codeOf(third)]).toEqual([429, 'too-many-requests'])
    expect((await rare('10.0.0.2')).statusCode).toBe(204)
    await shell.clock.advance(Number(third.headers['retry-after']) * 1000)
    expect((await rare('10.0.0.1')).statusCode).toBe(204)
  })
})

test('api > asking for the head of a live stream does not open one', async () => {
  const answered = await shell.server.inject({ method: 'HEAD', url: '/api/v1/endless' })
  expect(answered.statusCode).toBe(404)
})

describe('api > for operators', () => {
  test('/healthz and /readyz answer; a failed check says what to do', async () => {
    expect((await shell.server.inject('/healthz')).json()).toEqual({ status: 'ok', version: '0.0.0-test' })
    const ready = await shell.server.inject('/readyz')
    expect(ready.statusCode).toBe(200)
    expect(ready.json().checks.map((check: { name: string }) => check.name)).toEqual(['database', 'reading-log'])

    const problem = 'The schema is older than this program. Run `careloop migrate`.'
    const sick = await makeApiServer({
      ...{ engine: withoutMetrics(shell), identity: shell.identity, routes: [], version: 'x' },
      deviceByToken: async () => null,
      readiness: [
        { name: 'migrations', check: async () => problem },
        { name: 'broken', check: () => Promise.reject(new Error('inside')) },
      ],
    })
    const answered = await sick.inject('/readyz')
    expect(answered.statusCode).toBe(503)
    expect(answered.json().checks.slice(2)).toEqual([
      { name: 'migrations', ok: false, problem },
      { name: 'broken', ok: false, problem: 'The check itself failed. See the log.' },
    ])
    await sick.close()
  })

  test('/metrics is for this machine or the operator, and a proxy on this machine is not the operator', async () => {
    const at = (remoteAddress: string, headers: Record<string, string> = {}) =>
      shell.server.inject({ url: '/metrics', remoteAddress, headers })
    expect((await at('127.0.0.1')).body).toContain('careloop_http_request_seconds')
    expect((await at('10.0.0.9')).statusCode).toBe(403)
    expect((await at('127.0.0.1', { 'x-forwarded-for': '10.0.0.9' })).statusCode).toBe(403)
    expect((await at('127.0.0.1', { host: '127.0.0.1:8080' })).statusCode).toBe(200)
    expect((await at('::1', { host: '[::1]:8080' })).statusCode).toBe(200)
    // A page whose name was made to point to this machine asks by that name.
    for (const host of ['rebound.example', '127.0.0.1.rebound.example', 'localhost.rebound.example:8080'])
      expect((await at('127.0.0.1', { host })).statusCode).toBe(403)
    expect((await at('10.0.0.9', { authorization: 'Bearer operator-secret-operator-secret' })).statusCode).toBe(200)
    expect((await at('10.0.0.9', { authorization: 'Bearer operator-secret-operator-secreT' })).statusCode).toBe(403)
  })

  test('a request is logged by pattern and id, without its URL', async () => {
    shell.lines.length = 0
    await shell.server.inject('/api/v1/failing/missing?name=CanaryBird')
    const line = JSON.parse(shell.lines.find((each) => each.includes('request answered'))!)
    expect(line).toMatchObject({ route: '/api/v1/failing/:how', status: 404, method: 'GET' })
    expect(shell.lines.join('')).not.toContain('CanaryBird')
  })
})

describe('api > the server refuses to start', () => {
  const start = (routes: Route[]) =>
    makeApiServer({
      ...{ engine: withoutMetrics(shell), identity: shell.identity, routes, version: 'x', readiness: [] },
      deviceByToken: async () => null,
    })

  test('with a route that declares no policy', async () => {
    const { policy: _, ...without } = things[0]!
    await expect(start([without as Route])).rejects.toThrow('POST /api/v1/things/:id declares no policy')
    await expect(start([{ ...things[0]!, policy: { action: 'read' } as never }])).rejects.toThrow('declares no policy')
    await expect(start([{ ...things[0]!, policy: 'everyone' as never }])).rejects.toThrow('declares no policy')
  })

  test('with a route that stands there twice, also under another parameter name', async () => {
    const twin = { ...things[0]!, url: '/api/v1/things/:thing' }
    await expect(start([things[0]!, twin])).rejects.toThrow('declared twice')
  })
})

describe('api > on real sockets', () => {
  test('a refused large body is not read to its end', async () => {
    const own = await testShell({ routes: () => things })
    const url = new URL(await own.server.listen(0, '127.0.0.1'))
    const socket = connect(Number(url.port), url.hostname)
    socket.write(
      `POST /api/v1/things/${id} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n{"label"`,
    )
    const answer = await text(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
    expect(answer.toLowerCase()).toContain('connection: close')
    await own.close()
  })

  test('a body that grows too large on its way is told so before the connection ends', async () => {
    const own = await testShell({ routes: () => things })
    const url = new URL(await own.server.listen(0, '127.0.0.1'))
    const socket = connect(Number(url.port), url.hostname)
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`
    socket.write(
      `POST /api/v1/things/${id} HTTP/1.1\r\nhost: x\r\nauthorization: ${await own.token(['device:update'])}\r\n` +
        `content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`,
    )
    const answer = await text(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('body-too-large')
    await own.close()
  })

  test('a sender that goes in the middle of its body is no error of ours', async () => {
    const own = await testShell({ routes: () => things })
    const url = new URL(await own.server.listen(0, '127.0.0.1'))
    const socket = connect(Number(url.port), url.hostname)
    socket.write(
      `POST /api/v1/things/${id} HTTP/1.1\r\nhost: x\r\nauthorization: ${await own.token(['device:update'])}\r\n` +
        'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"label"',
    )
    const metrics = () => own.engine.watch.metrics.metrics()
    await vi.waitFor(async () => expect(await metrics()).toContain('careloop_http_in_flight 1'))
    socket.destroy()
    await vi.waitFor(async () => expect(await metrics()).toContain('careloop_http_in_flight 0'))
    expect(await metrics()).toContain('code="body-broken"')
    expect(await metrics()).not.toContain('code="internal"')
    await own.close()
  })

  test('rubbish bytes are refused and the server goes on', async () => {
    const own = await testShell({ routes: () => things })
    const url = new URL(await own.server.listen(0, '127.0.0.1'))
    const socket = connect(Number(url.port), url.hostname)
    socket.write(Buffer.from('16030100c8010000c40303\r\n\r\n', 'latin1'))
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400/)
    expect((await fetch(new URL('/healthz', url))).status).toBe(200)
    await own.close()
  })

  test('a stream stops being made when its reader goes, and close() ends the ones that stay', async () => {
    const own = await testShell({ routes: () => things })
    const url = new URL('/api/v1/endless', await own.server.listen(0, '127.0.0.1'))
    const gone = new AbortController()
    const first = await fetch(url, { signal: gone.signal })
    const reader = first.body!.getReader()
    await reader.read()
    gone.abort()
    await reader.closed.catch(() => {})
    await vi.waitFor(() => expect(seen.signalAborted).toBe(true))
    const made = seen.chunksMade
    expect((await fetch(new URL('/healthz', url))).status).toBe(200)
    expect(seen.chunksMade).toBe(made)

    const second = await fetch(url)
    await second.body!.getReader().read()
    await own.close()
    await expect(fetch(new URL('/healthz', url))).rejects.toThrow()
  })
})

/** A second server in one process needs metrics of its own. */
function withoutMetrics(of: TestShell): TestShell['engine'] {
  const metrics = { registerMetric: () => {} } as never
  return { ...of.engine, watch: { log: of.engine.watch.log, metrics } }
}
