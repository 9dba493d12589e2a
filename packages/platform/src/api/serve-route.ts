/** One request through one route: admit, read, handle, answer. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Answer, may, type Principal, type Replied, type ReplyOptions, type Route } from '../identity/index.ts'
import { admit } from './admit.ts'
import { fail } from './errors.ts'
import { invalidRequest } from './outcome.ts'
import type { ApiParts } from './parts.ts'
import type { makePrincipalRate } from './principal-rate.ts'
import type { RefusalTrail } from './refusal-trail.ts'
import { mediaTypeOf, parseJson, readBytes } from './request-body.ts'
import type { Admit } from './request-rate.ts'
import { assertStorable } from './storable.ts'
import type { StrangerRate } from './stranger-rate.ts'

/** Bound of a JSON body when its route says nothing: 256 KiB. */
export const defaultMaxBodyBytes = 256 * 1024

export interface Serving {
  readonly parts: ApiParts
  readonly rate: Admit
  readonly principals: ReturnType<typeof makePrincipalRate>
  readonly strangers: StrangerRate
  readonly refusals: RefusalTrail
  /** Aborts when the server closes. */
  readonly closing: AbortSignal
}

type ContextOf = Parameters<Route['handler']>[0]

export async function serveRoute(serving: Serving, route: Route, request: FastifyRequest, reply: FastifyReply) {
  if (serving.closing.aborted)
    throw fail('shutting-down', 'This process is stopping. Try again.', { retryAfterSeconds: 2 })
  if (route.perMinute !== undefined) serving.rate(route.url, request.ip, route.perMinute)
  const principal = await admitAtRate(serving, route, request)
  const asked = await readAsked(route, request)
  const ctx = contextOf(serving, route, request, reply, principal, asked)
  return answer(reply, await route.handler(ctx), ctx)
}

async function admitAtRate(serving: Serving, route: Route, request: FastifyRequest): Promise<Principal | null> {
  const { parts, strangers, principals, refusals } = serving
  const { authorization } = request.headers
  const check = () => admit(parts, refusals, route, request)
  // Public routes have bounds of their own; a cookie's signature is checked before the database is asked.
  const isOpen = route.policy === 'public' || route.policy === 'operator'
  const principal =
    isOpen || authorization === undefined ? await check() : await strangers.pass(request.ip, authorization, check)
  if (principal !== null) principals(principal)
  return principal
}

interface Asked {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly bytes: Buffer
}

const nothing = Buffer.alloc(0)

/** @throws Failure `request-invalid` and those of request-body.ts */
async function readAsked(route: Route, request: FastifyRequest): Promise<Asked> {
  const params = parsePart('params', route.params, request.params)
  const query = parsePart('query', route.query, request.query)
  if (route.bytes !== undefined) {
    assertMediaType(route.bytes.contentTypes, mediaTypeOf(request.headers))
    const bytes = await readBytes(request.raw, request.headers, route.bytes)
    return { params, query, body: undefined, bytes }
  }
  if (route.body === undefined) return { params, query, body: undefined, bytes: nothing }
  assertMediaType(['application/json'], mediaTypeOf(request.headers))
  const maxBytes = route.maxBodyBytes ?? defaultMaxBodyBytes
  const json = parseJson(await readBytes(request.raw, request.headers, { maxBytes, maxInflatedBytes: maxBytes }))
  return { params, query, body: parsePart('body', route.body, json), bytes: nothing }
}

function parsePart(part: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined
  assertStorable(part, value)
  const parsed = schema.safeParse(value ?? {})
  if (!parsed.success) throw invalidRequest(part, parsed.error)
  return parsed.data
}

function assertMediaType(accepted: readonly string[], mediaType: string): void {
  if (accepted.includes('*') || accepted.includes(mediaType)) return
  throw fail('media-type-unsupported', `Send Content-Type: ${accepted.join(' or ')}.`)
}

/** Aborted when the client is gone, or the server closes. */
function goneOf(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController()
  if (reply.raw.closed || reply.raw.destroyed) gone.abort()
  else reply.raw.once('close', () => gone.abort())
  return AbortSignal.any([gone.signal, closing])
}

function contextOf(
  serving: Serving,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  principal: Principal | null,
  asked: Asked,
): ContextOf {
  let signal: AbortSignal | undefined
  return {
    ...asked,
    engine: serving.parts.engine,
    principal,
    tenant: principal?.tenant ?? null,
    mediaType: mediaTypeOf(request.headers),
    requestId: request.id,
    ip: request.ip,
    headers: request.headers,
    // Made for who asks for it: few do, and what ends one costs as much as a small answer.
    get signal() {
      signal ??= goneOf(reply, serving.closing)
      return signal
    },
    may: (action, resource, thing) => principal !== null && may(principal, action, resource, thing),
    reply: (status: number, value: unknown, options?: ReplyOptions) => jsonReply(route, status, value, options),
    stream: (status, mediaType, chunks, options) => ({
      status,
      headers: options?.headers ?? {},
      body: { kind: 'stream', chunks, mediaType },
    }),
    send: (status, mediaType, bytes, options) => ({
      status,
      headers: options?.headers ?? {},
      body: { kind: 'bytes', bytes, mediaType },
    }),
  } as ContextOf
}

/** Shapes the answer by its schema: a field that was not declared is not sent, a wrong one is a bug and shows as 500. */
function jsonReply(route: Route, status: number, value: unknown, options?: ReplyOptions): Replied {
  const shape: Answer | undefined = route.response[status]
  const headers = options?.headers ?? {}
  if (shape === 'empty') return { status, headers, body: { kind: 'empty' } }
  const filtered = shape instanceof z.ZodType && route.unfiltered !== true ? shape.parse(value) : value
  return { status, headers, body: { kind: 'json', value: filtered } }
}

async function answer(reply: FastifyReply, replied: Replied, ctx: Pick<ContextOf, 'signal'>): Promise<FastifyReply> {
  reply.code(replied.status)
  for (const [name, value] of Object.entries(replied.headers)) reply.header(name, value)
  // What a person or service asks for is theirs alone: no cache keeps it.
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  const { body } = replied
  if (body.kind === 'empty') return reply.send()
  if (body.kind === 'json') return reply.type('application/json; charset=utf-8').send(JSON.stringify(body.value))
  reply.type(body.mediaType)
  if (body.kind === 'bytes') return reply.send(typeof body.bytes === 'string' ? body.bytes : Buffer.from(body.bytes))
  return sendStream(reply, body.chunks, ctx.signal)
}

/** A slow reader stops the source; a reader that has gone, and a server that closes, ends it. */
async function sendStream(reply: FastifyReply, chunks: AsyncIterable<Uint8Array | string>, signal: AbortSignal) {
  const source = Readable.from(chunks, { objectMode: false, highWaterMark: 64 * 1024 })
  const end = () => source.destroy()
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  reply.send(source)
  if (!source.closed) await new Promise((resolve) => source.once('close', resolve))
  return reply
}
