import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestAuthority, testAuthority } from '../engine/testing/test-certificates.ts'
import { type TestShell, testShell } from './testing/test-shell.ts'
import { readTlsFiles } from './tls-files.ts'

let home: string
let shell: TestShell
let port: number
let authority: TestAuthority
const files = () => ({ certFile: join(home, 'server.crt'), keyFile: join(home, 'server.key') })

/** As a renewing program does: the new file takes the old one's place at once. */
function put(pair: { cert: string; key: string }): void {
  for (const [file, text] of [
    [files().keyFile, pair.key],
    [files().certFile, pair.cert],
  ] as const) {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'careloop-tls-'))
  authority = await testAuthority()
  put(await authority.issue('first', 'server'))
  shell = await testShell({ routes: () => [], tls: files() })
  port = Number(new URL(await shell.server.listen(0, '127.0.0.1')).port)
})
afterAll(async () => {
  await shell.close()
  rmSync(home, { recursive: true })
})

function shown(options: { minVersion?: 'TLSv1'; maxVersion?: 'TLSv1.1'; ciphers?: string } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port,
      ca: authority.ca,
      servername: 'localhost',
      ...options,
    })
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

describe('api > TLS from files', () => {
  test('serves pages and API by TLS, tells browsers to stay with it, and answers no plain HTTP', async () => {
    const answered = await new Promise<{ status: number; hsts: unknown }>((resolve, reject) =>
      request({ host: '127.0.0.1', port, path: '/healthz', ca: authority.ca, servername: 'localhost' }, (response) => {
        response.resume()
        resolve({ status: response.statusCode!, hsts: response.headers['strict-transport-security'] })
      })
        .once('error', reject)
        .end(),
    )
    expect(answered).toEqual({ status: 200, hsts: 'max-age=31536000' })
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow()
  })

  test('refuses TLS 1.1', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await expect(shown(old)).rejects.toThrow()
  })

  test('shows a renewed certificate without a restart, and keeps the last good one when the new files do not fit', async () => {
    expect(await shown()).toBe('first')
    put(await authority.issue('second', 'server'))
    await shell.clock.advance(5_000)
    expect(await shown()).toBe('second')
    put({ cert: (await authority.issue('third', 'server')).cert, key: (await authority.issue('other', 'server')).key })
    await shell.clock.advance(5_000)
    expect(shell.lines.filter((line) => line.includes('cannot be used; the one from before stays'))).toHaveLength(1)
    expect(await shown()).toBe('second')
  })

  test.each([
    ['no file', {}],
    ['a certificate that is not PEM', { cert: 'hello' }],
    ['a key of another certificate', { key: 'other' }],
  ])('does not start with %s', async (_, wrong: { cert?: string; key?: string }) => {
    const place = mkdtempSync(join(home, 'wrong-'))
    const wanted = { certFile: join(place, 'c.pem'), keyFile: join(place, 'k.pem') }
    if (Object.keys(wrong).length > 0) {
      const pair = await authority.issue('own', 'server')
      writeFileSync(wanted.certFile, wrong.cert ?? pair.cert)
      writeFileSync(wanted.keyFile, wrong.key ? (await authority.issue('x', 'server')).key : pair.key)
    }
    expect(() => readTlsFiles(wanted)).toThrow(expect.objectContaining({ code: 'tls-unusable' }))
  })
})
