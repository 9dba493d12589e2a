import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestShell, testShell } from './testing/test-shell.ts'

let shell: TestShell
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'careloop-web-'))
  const root = join(folder, 'dist')
  mkdirSync(join(root, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'secret.txt'), 'outside')
  writeFileSync(
    join(root, 'index.html'),
    '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__"><div id="root"></div>',
  )
  writeFileSync(join(root, 'assets', 'main-abc123.js'), 'console.log(1)')
  writeFileSync(join(root, 'favicon.svg'), '<svg/>')
  shell = await testShell({ webRoot: root })
})
afterAll(async () => {
  await shell.close()
  rmSync(folder, { recursive: true })
})

const get = (url: string, headers: Record<string, string> = {}) => shell.server.inject({ url, headers })

test.each(['/', '/index.html', '/worklist', '/subjects/01890a5d?tab=series'])(
  'api > %s is the page, fresh, under its own nonce',
  async (url) => {
    const answered = await get(url)
    expect(answered.statusCode).toBe(200)
    expect(answered.headers['content-type']).toContain('text/html')
    expect(answered.headers['cache-control']).toBe('no-store')
    const nonce = /nonce="([^"]+)"/.exec(answered.body)![1]!
    expect(nonce).toMatch(/^[A-Za-z0-9+/=]{24}$/)
    expect(answered.headers['content-security-policy']).toContain(`style-src 'self' 'nonce-${nonce}'`)
    expect(answered.headers['content-security-policy']).toContain("script-src 'self';")
    expect((await get(url)).body).not.toBe(answered.body)
  },
)

test('api > what carries its hash in its name is kept for ever, other files are asked for again', async () => {
  const asset = await get('/assets/main-abc123.js')
  expect([asset.statusCode, asset.body]).toEqual([200, 'console.log(1)'])
  expect(asset.headers['content-type']).toContain('text/javascript')
  expect(asset.headers['cache-control']).toContain('immutable')
  const icon = await get('/favicon.svg')
  expect(icon.headers['cache-control']).toContain('must-revalidate')
  const again = await get('/favicon.svg', { 'if-none-match': icon.headers.etag as string })
  expect([again.statusCode, again.body]).toEqual([304, ''])
})

test('api > pages that are built anew beside a running server change nothing of what it serves, and a missing file is a 404', async () => {
  const root = join(folder, 'renewed')
  mkdirSync(join(root, 'assets'), { recursive: true })
  writeFileSync(join(root, 'index.html'), '<!doctype html><script type="module" src="/assets/main-1.js"></script>')
  writeFileSync(join(root, 'assets', 'main-1.js'), 'console.log(1)')
  writeFileSync(join(root, 'assets', 'main-1.js.map'), '{}')
  const running = await testShell({ webRoot: root })
  expect((await running.server.inject('/assets/main-1.js.map')).body).toBe('{}')
  rmSync(root, { recursive: true })
  const asset = await running.server.inject('/assets/main-1.js')
  expect([asset.statusCode, asset.body]).toEqual([200, 'console.log(1)'])
  expect((await running.server.inject('/worklist')).body).toContain('/assets/main-1.js')
  expect((await running.server.inject('/assets/main-1.js.map')).statusCode).toBe(404)
  expect((await running.server.inject('/assets/main-2.js')).statusCode).toBe(404)
  await running.close()
})

test('api > large text travels compressed to who takes it, and whole to who does not', async () => {
  const root = join(folder, 'large')
  mkdirSync(join(root, 'assets'), { recursive: true })
  writeFileSync(join(root, 'index.html'), '<!doctype html>')
  const script = 'console.log(1);'.repeat(200)
  writeFileSync(join(root, 'assets', 'large-1.js'), script)
  const serving = await testShell({ webRoot: root })
  const ask = (accepted: string) =>
    serving.server.inject({ url: '/assets/large-1.js', headers: { 'accept-encoding': accepted } })
  const zipped = await ask('br, gzip;q=0.8')
  expect([zipped.headers['content-encoding'], zipped.headers.vary]).toEqual(['gzip', 'accept-encoding'])
  expect(gunzipSync(zipped.rawPayload).toString()).toBe(script)
  expect(Number(zipped.headers['content-length'])).toBe(zipped.rawPayload.length)
  for (const refused of ['identity', 'gzip;q=0', 'br']) {
    const whole = await ask(refused)
    expect([whole.headers['content-encoding'], whole.body]).toEqual([undefined, script])
  }
  await serving.close()
})

test.each([
  '/assets/gone-1.js',
  '/../secret.txt',
  '/%2e%2e/secret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/api/v1/none',
])('api > %s is not there, and no file outside is ever served', async (url) => {
  const answered = await get(url)
  expect(answered.statusCode).toBe(404)
  expect(answered.body).not.toContain('outside')
})

test('api > without a built web app the page says how to build it, and the API serves', async () => {
  const bare = await testShell({ webRoot: join(folder, 'never-built') })
  const answered = await bare.server.inject('/')
  expect(answered.statusCode).toBe(404)
  expect(answered.json().issue[0].diagnostics).toContain('npm run build -w packages/web')
  expect((await bare.server.inject('/healthz')).statusCode).toBe(200)
  await bare.close()
})
