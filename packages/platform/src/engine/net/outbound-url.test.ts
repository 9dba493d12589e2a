import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeGuardedFetch } from './guarded-fetch.ts'
import { assertOutboundUrl, isNetwork, publicOnly, type Resolve, reach } from './outbound-url.ts'

const to =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses
const refused = expect.objectContaining({ code: 'outbound-url-refused' })

describe('outbound addresses', () => {
  test.each([
    'http://example.org/',
    'ftp://example.org/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://name:word@example.org/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a00:1]/',
    'https://10.0.0.7/',
    'https://172.20.1.1/',
    'https://192.168.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/',
    'https://0.0.0.0/',
    'https://[fd00:ec2::254]/',
    'https://[fe80::1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://224.0.0.1/',
    'relative/path',
  ])('%s is not called', async (url) => {
    await expect(assertOutboundUrl(url, publicOnly, to('93.184.216.34'))).rejects.toEqual(refused)
  })

  test('a name of which one address leads inside is not called', async () => {
    const url = 'https://idp.example.org/'
    await expect(assertOutboundUrl(url, publicOnly, to('93.184.216.34', '10.0.0.1'))).rejects.toEqual(refused)
    await expect(assertOutboundUrl(url, publicOnly, to())).rejects.toEqual(refused)
    await expect(assertOutboundUrl(url, publicOnly, to('93.184.216.34'))).resolves.toMatchObject({
      address: '93.184.216.34',
    })
  })

  test('an allowed network is called, its neighbour and cloud metadata are not', () => {
    const policy = { allowPrivate: ['10.20.0.0/16', '::1', '169.254.0.0/16', 'fe80::/10'] }
    expect(reach('10.20.3.4', policy)).toBe('allowed')
    expect(reach('::1', policy)).toBe('allowed')
    expect(reach('10.21.0.1', policy)).toBe('never')
    expect(reach('169.254.169.254', policy)).toBe('never')
    expect(reach('fe80::1', policy)).toBe('never')
    expect(reach('93.184.216.34', policy)).toBe('public')
  })

  test('networks are told from other words', () => {
    expect(['10.0.0.0/8', '::1', 'fd00::/8'].every(isNetwork)).toBe(true)
    expect(['ten', '10.0.0.0/40', '*', ''].some(isNetwork)).toBe(false)
  })
})

describe('guarded fetch', () => {
  let asked = 0
  const server = createServer((request, response) => {
    asked += 1
    if (request.url === '/away') response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
    else if (request.url === '/large') response.end(Buffer.alloc((1 << 20) + 1))
    else response.writeHead(200, { 'content-type': 'text/plain' }).end(request.headers.host)
  })
  let port = 0
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => void server.close())
  const loopback = { allowPrivate: ['127.0.0.0/8'] }

  test('connects to the address that was checked, and looks the name up once', async () => {
    let lookups = 0
    const rebinding: Resolve = async () => (++lookups === 1 ? ['127.0.0.1'] : ['169.254.169.254'])
    const answered = await makeGuardedFetch(loopback, rebinding)(`http://idp.example.org:${port}/`)
    expect(await answered.text()).toBe(`idp.example.org:${port}`)
    expect(lookups).toBe(1)
  })

  test('follows no redirect and reads no endless answer', async () => {
    const fetch = makeGuardedFetch(loopback)
    expect((await fetch(`http://127.0.0.1:${port}/away`)).status).toBe(302)
    await expect(fetch(`http://127.0.0.1:${port}/large`)).rejects.toMatchObject({ code: 'outbound-unreachable' })
  })

  test('reaches nothing inside without being allowed to', async () => {
    const before = asked
    await expect(makeGuardedFetch(publicOnly)(`http://127.0.0.1:${port}/`)).rejects.toEqual(refused)
    expect(asked).toBe(before)
  })
})
