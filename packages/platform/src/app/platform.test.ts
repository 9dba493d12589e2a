import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { listenHttp, plainHttpNotices, proxyNotices } from './platform.ts'

const server = {
  listen: (port: number, host: string) =>
    new Promise<string>((resolve, reject) => {
      const made = createServer().once('error', reject)
      made.listen(port, host, () => made.close(() => resolve(`http://${host}:${port}`)))
    }),
}

test('platform > a taken port is told with the variable that names another', async () => {
  const holder = createServer()
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port))
  })
  await expect(listenHttp(server, { host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'http-port-unavailable',
    message: expect.stringMatching(`Port ${port} .*CARELOOP_HTTP_PORT`),
  })
  await new Promise((resolve) => holder.close(resolve))
  expect(await listenHttp(server, { host: '127.0.0.1', port })).toBe(`http://127.0.0.1:${port}`)
})

test('platform > says so when pages are reached beyond this machine without TLS', () => {
  const at = (host: string) => ({ http: { host, port: 8080 }, role: 'all' as const })
  expect(plainHttpNotices(at('0.0.0.0'))).toEqual([expect.stringContaining('without TLS')])
  expect(plainHttpNotices({ ...at('0.0.0.0'), publicOrigin: 'http://a.example' })).toHaveLength(1)
  expect(plainHttpNotices({ ...at('0.0.0.0'), publicOrigin: 'https://a.example' })).toEqual([])
  expect(plainHttpNotices(at('127.0.0.1'))).toEqual([])
  expect(plainHttpNotices({ ...at('0.0.0.0'), role: 'worker' })).toEqual([])
})

test('platform > says so when a proxy stands before the pages behind which all people look like one', () => {
  const behind = { publicOrigin: 'https://a.example', role: 'all' as const }
  expect(proxyNotices({ ...behind, trustedProxies: [] })).toEqual([expect.stringContaining('CARELOOP_TRUSTED_PROXIES')])
  expect(proxyNotices({ ...behind, trustedProxies: ['10.0.0.1'] })).toEqual([])
  expect(proxyNotices({ ...behind, role: 'worker', trustedProxies: [] })).toEqual([])
  expect(proxyNotices({ publicOrigin: 'http://127.0.0.1:8080', role: 'all', trustedProxies: [] })).toEqual([])
})
