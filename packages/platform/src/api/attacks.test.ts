/** What people who mean harm send to the pages' port. Each kind once; what a room must withstand stands in its own tests. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestShell, testShell } from './testing/test-shell.ts'
import { things } from './testing/things.ts'

const place = '/api/v1/things/01890a5d-ac96-774b-bcce-b302099a8057'
let home: string
let shell: TestShell
let url: URL
let token: string
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'careloop-attacks-'))
  mkdirSync(join(home, 'web', 'assets'), { recursive: true })
  writeFileSync(join(home, 'web', 'index.html'), '<!doctype html><title>Careloop</title>')
  writeFileSync(join(home, 'web', 'assets', 'a.js'), 'export {}')
  writeFileSync(join(home, 'secret.txt'), 'the secret beside the pages')
  const patience = { headMs: 400, wholeMs: 800, lookMs: 100 }
  shell = await testShell({ routes: () => things, webRoot: join(home, 'web'), patience })
  url = new URL(await shell.server.listen(0, '127.0.0.1'))
  token = await shell.token(['device:update'])
})
afterAll(async () => {
  await shell?.close()
  rmSync(home, { recursive: true })
})

/** Bytes as they are. @returns what was answered until the connection ended, in order or cut off */
function send(bytes: string): Promise<string> {
  const socket = connect(Number(url.port), url.hostname)
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  socket.write(bytes, 'latin1')
  return new Promise((resolve) => socket.once('close', () => resolve(answer)))
}
const ask = (payload: string, query = '') =>
  shell.server.inject({
    ...{ method: 'POST', url: `${place}${query}`, payload },
    headers: { authorization: token, 'content-type': 'application/json' },
  })

describe('attack > slow and oversized requests', () => {
  test('a head that comes byte by byte is cut off, a body likewise, and others are served meanwhile', async () => {
    const head = send('GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: ')
    const body = send(
      `POST ${place} HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"label"`,
    )
    expect((await fetch(new URL('/healthz', url))).status).toBe(200)
    expect(await head).toMatch(/^HTTP\/1\.1 408 /)
    expect(await body).toMatch(/^HTTP\/1\.1 4(00|08) /)
  })

  test('a head without end is refused', async () => {
    const long = `x-a: ${'a'.repeat(6_000)}\r\n`.repeat(3)
    expect(await send(`GET /healthz HTTP/1.1\r\nhost: x\r\n${long}\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('a request inside a request (two lengths) is refused', async () => {
    const smuggled = `POST ${place} HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n`
    const answer = await send(smuggled)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).not.toContain('careloop_')
  })
})

describe('attack > words that reach beyond their place', () => {
  test.each([
    '{"label":"a","__proto__":{"polluted":true}}',
    '{"label":"a","constructor":{"prototype":{"polluted":true}}}',
    '{"label":"a","parts":[{"mg":1,"__proto__":{"polluted":true}}]}',
  ])('a prototype in a body pollutes nothing: %s', async (payload) => {
    const answered = await ask(payload)
    expect([200, 400]).toContain(answered.statusCode)
    expect(answered.body).not.toContain('polluted')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('nor does one in a query', async () => {
    await ask('{"label":"a"}', '?__proto__[polluted]=true&constructor.prototype.polluted=true')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/assets/..\\..\\secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/assets/....//....//secret.txt',
    '//secret.txt',
    '/assets/a.js%00/../../secret.txt',
  ])('a path out of the pages leads nowhere: %s', async (path) => {
    const answer = await send(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(answer).not.toContain('the secret')
  })

  test('what is sent forges no line of the log and puts no word into it', async () => {
    const forged = '{"level":"info","msg":"request answered","forged":true}'
    await shell.server.inject({
      method: 'GET',
      url: `/api/v1/${encodeURIComponent(`x\n${forged}`)}?name=Zebulon`,
      headers: { 'user-agent': `Zebulon ${forged}`, 'x-request-id': forged, 'x-forwarded-for': forged },
    })
    await send(`GET /Zebulon\x0b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    for (const line of shell.lines) {
      expect(() => JSON.parse(line)).not.toThrow()
      expect(line.trimEnd()).not.toContain('\n')
    }
    expect(shell.lines.filter((line) => line.includes('forged') || line.includes('Zebulon'))).toEqual([])
  })

  test('a header cannot change the method, the path or who asks', async () => {
    const headers = {
      ...{ 'x-http-method-override': 'DELETE', 'x-original-url': '/metrics', 'x-rewrite-url': '/metrics' },
      ...{ 'x-user': 'administrator', 'x-forwarded-user': 'administrator', 'x-careloop-peer': '127.0.0.1' },
    }
    const answered = await shell.server.inject({ method: 'GET', url: '/api/v1/me', headers })
    expect(answered.statusCode).toBe(401)
  })

  test('an address that a client claims is not believed without a proxy that is named', async () => {
    const headers = { 'x-forwarded-for': '127.0.0.1', host: 'localhost' }
    const answered = await shell.server.inject({ url: '/metrics', headers, remoteAddress: '203.0.113.5' })
    expect(answered.statusCode).toBe(403)
  })
})

describe('attack > a page that does more than it should', () => {
  test('runs no inline script, is framed by nobody, posts nowhere else', async () => {
    const { headers } = await shell.server.inject({ url: '/' })
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toMatch(/script-src 'self'(;|$)/)
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("form-action 'self'")
    expect(policy).toContain("base-uri 'none'")
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['referrer-policy']).toBe('no-referrer')
  })
})
