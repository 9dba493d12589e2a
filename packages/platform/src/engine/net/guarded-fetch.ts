/**
 * `fetch` for URLs that a user has set: looked up once, checked, and connected to the address that was checked. No redirects (each
 * would lead elsewhere), bounded time and size.
 */
import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIPv6 } from 'node:net'
import { engineFailure } from '../errors.ts'
import { assertOutboundUrl, type OutboundPolicy, type Resolve } from './outbound-url.ts'

export interface GuardedRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
}

export type GuardedFetch = (url: string, asked?: GuardedRequest) => Promise<Response>

/** The whole exchange, ms. */
const timeoutMs = 10_000
/** Of an answer. */
const maxBytes = 1 << 20

/** @returns a fetch that throws Failure `outbound-url-refused`, `outbound-unreachable` */
export function makeGuardedFetch(policy: OutboundPolicy, resolve?: Resolve): GuardedFetch {
  return async (text, asked = {}) => {
    const { url, address } = await assertOutboundUrl(text, policy, resolve)
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(asked.signal ? [asked.signal] : [])])
    try {
      return await exchange(url, address, asked, signal)
    } catch (cause) {
      throw engineFailure('outbound-unreachable', 'The other side did not answer as it should. Check its address.', {
        cause,
      })
    }
  }
}

function exchange(url: URL, address: string, asked: GuardedRequest, signal: AbortSignal): Promise<Response> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  const family = isIPv6(address) ? 6 : 4
  return new Promise((done, failed) => {
    const sent = request(
      url,
      {
        ...{ method: asked.method ?? 'GET', headers: { ...asked.headers }, signal, agent: false },
        // The name goes into SNI and Host; the connection goes to the address that was checked.
        lookup: (_host, options, answer) =>
          options.all ? answer(null, [{ address, family }]) : answer(null, address, family),
      },
      (incoming) => void readAll(incoming).then(done, failed),
    )
    sent.once('error', failed)
    sent.end(asked.body)
  })
}

async function readAll(incoming: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) {
      incoming.destroy()
      throw new Error('the answer is too large')
    }
    chunks.push(chunk)
  }
  const status = incoming.statusCode ?? 502
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers))
    for (const each of [value ?? []].flat()) headers.append(name, each)
  const isBare = status === 204 || status === 304
  return new Response(isBare ? null : Buffer.concat(chunks), { status, headers })
}
