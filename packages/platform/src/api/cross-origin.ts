/**
 * Pages of other origins that speak FHIR (SMART apps in a browser): what carries a token of its own may be asked from anywhere and its
 * answer read. No cookie goes with it (`*` without credentials), so that a page elsewhere gains nothing by our user's session.
 */
import type { FastifyInstance } from 'fastify'
import type { Route } from '../identity/index.ts'

/** Whether pages of other origins may read what it answers. */
export const isCrossOrigin = ({ policy, isCrossOrigin }: Pick<Route, 'policy' | 'isCrossOrigin'>): boolean =>
  policy === 'fhir' || isCrossOrigin === true

/** Headers of FHIR's answers that a page may read besides the plain ones. */
const readable = 'etag, location, content-location, last-modified, retry-after, x-progress, www-authenticate'
const sendable =
  'authorization, content-type, accept, prefer, if-match, if-none-match, if-modified-since, if-none-exist, x-request-id'
/** s: so long a browser does not ask again. */
const maxAgeSeconds = 600

/** Answers preflights, and marks what may be read. Called before the routes are added. */
export function openToOtherOrigins(app: FastifyInstance, routes: readonly Route[]): void {
  const open = new Map<string, Set<string>>()
  for (const route of routes)
    if (isCrossOrigin(route)) open.set(route.url, (open.get(route.url) ?? new Set()).add(route.method))
  app.addHook('onRequest', async (request, reply) => {
    if (open.has(request.routeOptions.url ?? '')) {
      reply.header('access-control-allow-origin', '*')
      reply.header('access-control-expose-headers', readable)
    }
  })
  for (const [url, methods] of open)
    app.options(url, (_request, reply) =>
      reply
        .code(204)
        .header('access-control-allow-methods', [...methods].sort().join(', '))
        .header('access-control-allow-headers', sendable)
        .header('access-control-max-age', String(maxAgeSeconds))
        .send(),
    )
}
