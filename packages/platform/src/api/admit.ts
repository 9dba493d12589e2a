/** Who asks, and may they: decided before a byte of the body is read. */
import { timingSafeEqual } from 'node:crypto'
import { Failure, failures } from '@careloop/contract'
import type { FastifyRequest } from 'fastify'
import { actorOf, assertProvedLately, identityErrors, may, type Principal, type Route } from '../identity/index.ts'
import { withReach } from '../subjects/index.ts'
import type { ApiParts } from './parts.ts'
import type { RefusalTrail } from './refusal-trail.ts'
import { assertSameOrigin } from './same-origin.ts'

const refuse = failures(identityErrors)

/**
 * A refusal of somebody known is written to their organisation's trail before they hear of it; of others it is counted only.
 * @returns null only for `public` and `operator`
 * @throws Failure `not-signed-in`, `token-refused`, `not-allowed`, `no-membership`, `session-locked`, `password-change-needed`,
 *   `second-factor-needed`, `step-up-needed`, `step-up-without-factor`, `cross-origin`
 */
export async function admit(
  parts: ApiParts,
  refusals: RefusalTrail,
  route: Route,
  request: FastifyRequest,
): Promise<Principal | null> {
  let principal: Principal | null = null
  try {
    // A route that is open to pages of other origins looks at no cookie; where one could be looked at (`fhir`), the origin counts.
    if (route.isCrossOrigin !== true) assertSameOrigin(request.method, request.headers, parts.publicOrigin)
    if (route.policy === 'public') return null
    if (route.policy === 'operator') return admitOperator(parts, request)
    const { authorization, cookie } = request.headers
    const { identity } = parts
    // Only here somebody who is held back is let through, and only to the routes that let go of the hold.
    const authenticate = route.policy === 'session' ? identity.authenticateHeld : identity.authenticate
    // A wall screen is known everywhere, so that what it may not ask is refused and told, and let in to its own routes only.
    principal =
      (route.policy === 'display' ? null : await authenticate({ authorization, cookie }, parts.deviceByToken)) ??
      (authorization === undefined ? await identity.authenticateDisplay({ authorization, cookie }) : null)
    if (principal === null && route.policy === 'display')
      throw refuse('not-signed-in', 'This screen shows nothing any more. Ask for a new link for it.')
    if (principal === null) throw refuse('not-signed-in', 'Sign in, or send a token: Authorization: Bearer ...')
    if (!isAllowed(route, principal)) throw notAllowed(route)
    if (route.stepUp === true) assertProvedLately(principal, parts.engine.clock.now())
    return needsReach(route) ? await withReach(parts.engine, principal) : principal
  } catch (error) {
    if (error instanceof Failure && principal !== null) await keepTrail(refusals, route, request, principal)
    throw error
  }
}

/** Which patients they are attached to is asked where a route has to do with what may be theirs: not to see who one is. */
const needsReach = ({ policy }: Route): boolean => typeof policy === 'object' || policy === 'fhir'

function keepTrail(trail: RefusalTrail, route: Route, request: FastifyRequest, principal: Principal): Promise<void> {
  const id = `${route.method}:${route.url}`.slice(0, 128)
  return trail.note({ tenant: principal.tenant, actor: actorOf(principal), id, requestId: request.id })
}

function isAllowed(route: Route, principal: Principal): boolean {
  const { policy } = route
  if (policy === 'device') return principal.kind === 'device'
  if (policy === 'display') return principal.kind === 'display'
  if (principal.kind === 'device' || principal.kind === 'display') return false
  // An app speaks FHIR and nothing else: what it was granted says nothing of our other routes.
  if (principal.app !== undefined) return policy === 'fhir'
  if (policy === 'session') return principal.kind === 'staff'
  if (policy === 'signed-in' || policy === 'fhir') return true
  return typeof policy === 'object' && may(principal, policy.action, policy.resource)
}

function notAllowed(route: Route) {
  if (route.policy === 'device') return refuse('not-allowed', 'Only a device with its own token may send here.')
  if (route.policy === 'display') return refuse('not-allowed', 'Only a wall screen with its own link may read this.')
  if (route.policy === 'session') return refuse('not-allowed', 'Only a person who is signed in has a session.')
  if (typeof route.policy !== 'object') return refuse('not-allowed', 'A device or a wall screen may not do this.')
  const { action, resource } = route.policy
  return refuse('not-allowed', `Your roles or scopes do not include ${resource}:${action}. Ask an administrator.`)
}

/**
 * From this machine and not through a proxy on it, or with the operator's token. A page of another site that had its name point to
 * this machine (DNS rebinding) comes from this machine too, but asks by its own name.
 */
function admitOperator(parts: ApiParts, request: FastifyRequest): null {
  const proxied = request.headers['x-forwarded-for'] !== undefined || request.headers.forwarded !== undefined
  if (!proxied && isLoopback(request.ip) && isLoopbackName(request.headers.host)) return null
  const token = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (parts.operatorToken !== undefined && token !== undefined && isSame(token, parts.operatorToken)) return null
  throw refuse('not-allowed', 'For the operator: ask from this machine, or with the operator token.')
}

const isLoopback = (ip: string): boolean => ip === '::1' || ip.startsWith('127.') || ip.startsWith('::ffff:127.')

/** The Host header without its port; a client that sends none is no browser. */
function isLoopbackName(host: string | undefined): boolean {
  if (host === undefined) return true
  const name = host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

function isSame(shown: string, known: string): boolean {
  const [a, b] = [Buffer.from(shown), Buffer.from(known)]
  return a.length === b.length && timingSafeEqual(a, b)
}
