/** Calls of the Transit engine of Vault or OpenBao over HTTPS: a token from a file, tries again, words that hold no secret. */
import { readFile } from 'node:fs/promises'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { engineFailure } from '../errors.ts'

export interface TransitPlace {
  /** `https://vault.clinic:8200`; plain HTTP on this machine only (an agent that terminates TLS). */
  readonly address: string
  /** Where the engine is mounted; by default `transit`. */
  readonly mount: string
  /** Name of the key. */
  readonly key: string
  /** Read anew for each call: agents renew it in place. */
  readonly tokenFile: string
  /** PEM of the authority that signed the server's certificate; absent = the system's. */
  readonly caFile?: string
  /** Enterprise and OpenBao namespaces. */
  readonly namespace?: string
}

export interface TransitClient {
  /** @returns the `data` of the answer; a 400 is given back as null: what was sent does not open */
  call(method: 'GET' | 'POST', path: string, body?: object): Promise<Record<string, unknown> | null>
  trouble(): string | null
}

const TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** Waits before the second and the third try, ms. */
const WAITS_MS = [100, 400]
/** Sealed, standby, overloaded, not yet replicated: documented as worth another try. */
const PASSING = new Set([412, 429, 472, 473, 500, 502, 503, 504])

export function transitClient(place: TransitPlace, wait: (ms: number) => Promise<void>): TransitClient {
  let trouble: string | null = null
  const once = async (method: string, path: string, body: object | undefined) => {
    const token = (await readFile(place.tokenFile, 'utf8').catch(() => '')).trim()
    if (token === '') throw refused(`Its token cannot be read from ${place.tokenFile}.`)
    const ca = place.caFile === undefined ? undefined : await readFile(place.caFile)
    return send(place, { method, path, token, ca, body: body === undefined ? '' : JSON.stringify(body) })
  }
  return {
    trouble: () => trouble,
    async call(method, path, body) {
      for (let tries = 0; ; tries++) {
        try {
          const answer = judge(await once(method, path, body))
          trouble = null
          return answer
        } catch (error) {
          const code = (error as { code?: string }).code
          if (code === 'kms-unavailable' && tries < WAITS_MS.length) await wait(WAITS_MS[tries]!)
          else {
            trouble = (error as Error).message
            throw error
          }
        }
      }
    },
  }
}

interface Answer {
  readonly status: number
  readonly text: string
}

function send(
  place: TransitPlace,
  asked: { method: string; path: string; token: string; ca: Buffer | undefined; body: string },
): Promise<Answer> {
  const url = new URL(`/v1/${place.mount}/${asked.path}`, place.address)
  const request = url.protocol === 'https:' ? tlsRequest : plainRequest
  const headers = {
    ...{ 'x-vault-token': asked.token, 'x-vault-request': 'true', 'content-type': 'application/json' },
    ...{ 'content-length': Buffer.byteLength(asked.body) },
    ...(place.namespace === undefined ? {} : { 'x-vault-namespace': place.namespace }),
  }
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(unavailable(error.code ?? error.message))
    const sent = request(url, { method: asked.method, headers, timeout: TIMEOUT_MS, ca: asked.ca }, (answer) => {
      const parts: Buffer[] = []
      let bytes = 0
      answer.on('data', (part: Buffer) => {
        bytes += part.byteLength
        if (bytes > MAX_ANSWER_BYTES) answer.destroy(new Error('too long an answer'))
        else parts.push(part)
      })
      answer.on('error', fail)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }))
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', fail)
    sent.end(asked.body)
  })
}

/** Answers of the server are never quoted: they may repeat what was sent. */
function judge({ status, text }: Answer): Record<string, unknown> | null {
  if (status === 400) return null
  if (status === 403) throw refused('It refuses the token: is it expired, or its policy too narrow?')
  if (status === 404) throw refused('It has no such mount or key. See CARELOOP_VAULT_MOUNT and CARELOOP_VAULT_KEY.')
  if (PASSING.has(status) || status === 0) throw unavailable(`it answers ${status}`)
  if (status === 204) return {}
  if (status !== 200) throw refused(`It answers ${status}.`)
  try {
    return ((JSON.parse(text) as { data?: Record<string, unknown> }).data ?? {}) as Record<string, unknown>
  } catch {
    throw unavailable('its answer is no JSON')
  }
}

function unavailable(why: string) {
  return engineFailure(
    'kms-unavailable',
    `The key management service cannot be used (${why}). Keys in memory go on; new ones wait until it is back.`,
    { retryAfterSeconds: 5 },
  )
}

function refused(why: string) {
  return engineFailure('kms-refused', `The key management service does not serve Careloop. ${why}`)
}
