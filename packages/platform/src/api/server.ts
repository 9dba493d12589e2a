/** The HTTP server: a list of routes behind one guard, one reader and one way to refuse. */
import { Failure } from '@careloop/contract'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Counter } from 'prom-client'
import type { Policy, Route } from '../identity/index.ts'
import { openToOtherOrigins } from './cross-origin.ts'
import { displayLiveRoutes } from './display-live.ts'
import { fail } from './errors.ts'
import { healthRoutes } from './health.ts'
import { liveRoutes } from './live.ts'
import { makeLiveHub } from './live-hub.ts'
import { openApiRoutes } from './openapi.ts'
import { refusalOf } from './outcome.ts'
import type { ApiParts } from './parts.ts'
import { placeRoutes } from './place.ts'
import { makePrincipalRate } from './principal-rate.ts'
import { makeRefusalTrail } from './refusal-trail.ts'
import { makeRequestRate } from './request-rate.ts'
import { watchRequests } from './request-watch.ts'
import { type Serving, serveRoute } from './serve-route.ts'
import { makeStrangerRate } from './stranger-rate.ts'
import { makeTlsServer } from './tls-files.ts'
import { makeWebApp } from './web-app.ts'

export interface ApiServer {
  /** All routes that are served, the shell's own included: what OpenAPI shows. */
  readonly routes: readonly Route[]
  /** @param port 0 = any free one. @returns the base URL */
  listen(port: number, host: string): Promise<string>
  /** Ends live streams, lets requests in flight finish, then closes. */
  close(): Promise<void>
  /** For tests without a socket. */
  readonly inject: FastifyInstance['inject']
}

/**
 * A request's head and its whole must arrive within these; looked at every `lookMs`. Who sends a byte now and then (slowloris) holds a
 * socket for that long and no longer.
 */
const patience = { headMs: 15_000, wholeMs: 60_000, lookMs: 5_000 }

/** Throws (assert) when a route has no policy or stands twice in the list: then the server does not start. */
export async function makeApiServer(parts: ApiParts): Promise<ApiServer> {
  const closing = new AbortController()
  const hub = makeLiveHub(parts.engine)
  const own = [
    ...healthRoutes(parts),
    ...placeRoutes(parts),
    ...liveRoutes(parts, hub),
    ...displayLiveRoutes(parts, hub),
  ]
  const routes = [...parts.routes, ...own]
  routes.push(...openApiRoutes(routes, parts.version))
  assertRoutes(routes)

  const tls = parts.tls === undefined ? null : makeTlsServer(parts.engine, parts.tls, parts.patience ?? patience)
  const { headMs, wholeMs, lookMs } = parts.patience ?? patience
  const app = fastify({
    http: { headersTimeout: headMs, connectionsCheckingInterval: lookMs },
    ...(tls === null ? {} : { serverFactory: tls.factory }),
    logger: false,
    genReqId: () => parts.engine.ids.uuid(),
    requestTimeout: wholeMs,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    exposeHeadRoutes: false, // HEAD of a live stream would have to read it to its end
    trustProxy: parts.trustedProxies === undefined ? false : [...parts.trustedProxies],
    frameworkErrors: (error, request, reply) => void refuse(parts, error, request, reply),
    routerOptions: { maxParamLength: 128, ignoreTrailingSlash: false },
  })
  const { clock } = parts.engine
  const refusals = makeRefusalTrail(parts.engine, ({ tenant, id, times, actor, requestId }) => {
    const act = { action: 'denied', resource: 'route', outcome: 'denied' } as const
    return parts.identity.recordAct({ ...act, tenant, id, times, by: { actor, requestId } })
  })
  const serving: Serving = {
    refusals,
    ...{ parts, closing: closing.signal, rate: makeRequestRate(clock), strangers: makeStrangerRate(clock, isBadToken) },
    principals: makePrincipalRate(clock, { servicePerSecond: parts.servicePerSecond ?? 2_000 }),
  }
  takeBodiesAsStreams(app)
  watchRequests(app, parts, routes)
  openToOtherOrigins(app, routes)
  for (const route of routes)
    app.route({
      method: route.method,
      url: route.url,
      handler: (request, reply) => serveRoute(serving, route, request, reply),
    })
  const web = await makeWebApp(parts.webRoot)
  app.setNotFoundHandler((request, reply) => web(request, reply))
  app.setErrorHandler((error, request, reply) => refuse(parts, error, request, reply))
  await app.ready()
  return {
    routes,
    inject: app.inject.bind(app),
    listen: (port, host) => app.listen({ port, host }),
    async close() {
      closing.abort()
      tls?.stop()
      hub.close()
      await closeGently(app)
      await refusals.close()
    },
  }
}

/** Requests that still run after this long are cut. */
const closeGraceMs = 10_000

/**
 * Node looks for idle connections once, when it closes: one whose answer was just being written then stays open until its
 * keep-alive ends, a minute later. So we look again until all have gone. These timers are of the process, not of the clock.
 */
async function closeGently(app: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 50)
  const cut = setTimeout(() => app.server.closeAllConnections(), closeGraceMs)
  try {
    await app.close()
  } finally {
    clearInterval(sweep)
    clearTimeout(cut)
  }
}

function assertRoutes(routes: readonly Route[]): void {
  const seen = new Set<string>()
  for (const route of routes) {
    const name = `${route.method} ${route.url}`
    if (!isPolicy(route.policy)) throw new Error(`The route ${name} declares no policy. Say who may ask.`)
    // Two patterns that differ only in a parameter's name are the same route.
    const key = name.replaceAll(/:[A-Za-z]+/g, ':')
    if (seen.has(key)) throw new Error(`The route ${name} is declared twice.`)
    seen.add(key)
  }
}

function isPolicy(policy: Policy | undefined): boolean {
  if (typeof policy === 'string')
    return ['public', 'device', 'display', 'operator', 'signed-in', 'session', 'fhir'].includes(policy)
  return typeof policy === 'object' && Boolean(policy.action) && Boolean(policy.resource)
}

/** Bodies are read by the route, after the asker was admitted and within its bounds. */
function takeBodiesAsStreams(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
}

const isBadToken = (error: unknown): boolean => error instanceof Failure && error.code === 'token-refused'

/** An OperationOutcome is the same there; clients of FHIR look for its media type. */
const isFhir = ({ url }: FastifyRequest): boolean => url.startsWith('/fhir/')

const refusedCounters = new WeakMap<ApiParts, Counter<'route' | 'code'>>()

function refuse(parts: ApiParts, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const route = request.routeOptions.url ?? 'none'
  const refusal = refusalOf(fromFastify(error), request.id)
  refusedCounter(parts).inc({ route, code: refusal.code })
  if (refusal.status >= 500)
    parts.engine.watch.log.error({ err: error, requestId: request.id, route, code: refusal.code }, 'a request failed')
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds))
  if (refusal.status === 401) reply.header('www-authenticate', 'Bearer realm="careloop"')
  // A refused body may still be on its way: the connection is not used again.
  if (!request.raw.complete) reply.header('connection', 'close')
  return reply
    .code(refusal.status)
    .header('cache-control', 'no-store')
    .type(`${isFhir(request) ? 'application/fhir+json' : 'application/json'}; charset=utf-8`)
    .send(JSON.stringify(refusal.body))
}

function refusedCounter(parts: ApiParts): Counter<'route' | 'code'> {
  const known = refusedCounters.get(parts)
  if (known !== undefined) return known
  const counter = new Counter({
    name: 'careloop_http_refused_total',
    help: 'Requests refused, by route and code of docs/errors.md',
    labelNames: ['route', 'code'] as const,
    registers: [parts.engine.watch.metrics],
  })
  refusedCounters.set(parts, counter)
  return counter
}

/** Fastify refuses some requests before our handler (a broken URL): they get our words and code. */
function fromFastify(error: unknown): unknown {
  const status = (error as { statusCode?: unknown }).statusCode
  if (!(error instanceof Error) || typeof status !== 'number' || status >= 500) return error
  return fail('request-invalid', 'The request could not be read. Check method, URL and headers.', { cause: error })
}
