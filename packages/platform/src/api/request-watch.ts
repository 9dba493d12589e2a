/** What every request gets and leaves behind: headers, an id, one log line, measures. Pattern and id only, never the URL. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Gauge, Histogram, type Registry } from 'prom-client'
import type { Route } from '../identity/index.ts'
import type { ApiParts } from './parts.ts'
import { securityHeaders } from './security-headers.ts'

/** A year: browsers that reached us by TLS once do not try without. */
const strictTransport = 'max-age=31536000'

export function watchRequests(app: FastifyInstance, parts: ApiParts, routes: readonly Route[]): void {
  const { log } = parts.engine.watch
  const { seconds, inFlight } = measures(parts.engine.watch.metrics)
  const quiet = routinePatterns(routes)
  const isOverTls = parts.tls !== undefined || (parts.publicOrigin?.startsWith('https:') ?? false)
  const watch = (request: FastifyRequest, reply: FastifyReply) => {
    const { method, id: requestId } = request
    const route = request.routeOptions.url ?? 'none'
    const status = reply.statusCode
    inFlight.dec()
    seconds.observe({ method, route, status }, reply.elapsedTime / 1000)
    const level = status < 400 && quiet.has(route) ? 'debug' : 'info'
    log[level]({ requestId, method, route, status, ms: Math.round(reply.elapsedTime) }, 'request answered')
  }
  app.addHook('onRequest', async (request, reply) => {
    inFlight.inc()
    // Fastify's onResponse never comes for an asker who has gone: `close` comes for both.
    reply.raw.once('close', () => watch(request, reply))
    reply.headers(securityHeaders)
    reply.header('x-request-id', request.id)
    if (isOverTls) reply.header('strict-transport-security', strictTransport)
  })
}

/** Devices and monitors speak often and are counted elsewhere: a line for each would drown the rest. */
function routinePatterns(routes: readonly Route[]): ReadonlySet<string> {
  const devices = routes.filter(({ policy }) => policy === 'device').map(({ url }) => url)
  return new Set(['/healthz', '/readyz', '/metrics', ...devices])
}

const measures = (metrics: Registry) => ({
  seconds: new Histogram({
    name: 'careloop_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [metrics],
  }),
  inFlight: new Gauge({ name: 'careloop_http_in_flight', help: 'Requests being answered now', registers: [metrics] }),
})
