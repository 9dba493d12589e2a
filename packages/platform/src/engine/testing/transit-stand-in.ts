/**
 * A stand-in for the Transit engine of Vault or OpenBao, after its documented HTTP API: aes256-gcm96 keys with versions, single
 * and batch forms of encrypt, decrypt and rewrap, rotation, tokens, a sealed state. No real server was at hand.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface TransitStandIn {
  readonly url: string
  /** Answers from now on with this status; null = as it should. */
  fail(status: number | null, times?: number): void
  /** Paths asked so far. */
  readonly asked: string[]
  stop(): Promise<void>
}

type Body = Record<string, unknown>

export async function transitStandIn(tls: { key: string; cert: string }, token: string): Promise<TransitStandIn> {
  const versions = [randomBytes(32)]
  const asked: string[] = []
  let failing: { status: number; times: number } | null = null
  const encrypt = (plaintext: string): string => {
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', versions.at(-1)!, iv)
    const sealed = Buffer.concat([
      iv,
      cipher.update(Buffer.from(plaintext, 'base64')),
      cipher.final(),
      cipher.getAuthTag(),
    ])
    return `vault:v${versions.length}:${sealed.toString('base64')}`
  }
  const decrypt = (ciphertext: string): string | null => {
    const [, version, body] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? []
    const key = versions[Number(version) - 1]
    const bytes = Buffer.from(body ?? '', 'base64')
    if (key === undefined || bytes.length < 28 || bytes.toString('base64') !== body) return null
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('base64')
    } catch {
      return null
    }
  }
  const one = (verb: string, item: Body): Body => {
    if (verb === 'encrypt') return { ciphertext: encrypt(String(item.plaintext)) }
    const plaintext = decrypt(String(item.ciphertext))
    if (plaintext === null) return { error: 'cipher: message authentication failed' }
    return verb === 'decrypt' ? { plaintext } : { ciphertext: encrypt(plaintext) }
  }
  const answer = (method: string, path: string, body: Body): { status: number; data?: Body } => {
    if (path === 'keys/careloop' && method === 'GET')
      return { status: 200, data: { latest_version: versions.length, min_decryption_version: 1, type: 'aes256-gcm96' } }
    if (path === 'keys/careloop/rotate') {
      versions.push(randomBytes(32))
      return { status: 204 }
    }
    const [, verb] = /^(encrypt|decrypt|rewrap)\/careloop$/.exec(path) ?? []
    if (verb === undefined || method !== 'POST') return { status: 404 }
    const items = body.batch_input as Body[] | undefined
    if (items === undefined) {
      const data = one(verb, body)
      return 'error' in data ? { status: 400 } : { status: 200, data }
    }
    const results = items.map((item) => one(verb, item))
    return { status: results.some((each) => 'error' in each) ? 400 : 200, data: { batch_results: results } }
  }
  const server = createServer(tls, async (request, response) => {
    const path = (request.url ?? '').replace(/^\/v1\/transit\//, '')
    asked.push(path)
    const body = await bodyOf(request)
    const said = request.headers['x-vault-token'] === token ? answer(request.method ?? '', path, body) : { status: 403 }
    const isFailing = failing !== null && failing.times-- > 0
    const { status, data } = isFailing ? { status: failing!.status } : (said as { status: number; data?: Body })
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(status === 204 ? undefined : JSON.stringify(data === undefined ? { errors: ['no'] } : { data }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    asked,
    fail(status, times = Number.POSITIVE_INFINITY) {
      failing = status === null ? null : { status, times }
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString('utf8')
  return text === '' ? {} : (JSON.parse(text) as Body)
}
