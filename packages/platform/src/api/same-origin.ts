/**
 * A page elsewhere must not act with our user's cookie. Browsers say where a request comes from (Sec-Fetch-Site, Origin) and
 * pages cannot forge it; programs say nothing and carry a token instead of a cookie.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Method } from '../identity/index.ts'
import { fail } from './errors.ts'

const changing: ReadonlySet<string> = new Set<Method>(['POST', 'PUT', 'PATCH', 'DELETE'])

/**
 * @param publicOrigin where browsers reach us when a proxy changes Host, e.g. `https://care.example.org`
 * @throws Failure `cross-origin`
 */
export function assertSameOrigin(method: string, headers: IncomingHttpHeaders, publicOrigin: string | undefined): void {
  // With a token no cookie is looked at; and no page elsewhere can send one, since we answer no CORS preflight.
  if (!changing.has(method) || headers.authorization !== undefined) return
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw crossOrigin()
  if (headers.origin !== undefined) {
    if (!isOurs(headers.origin, headers.host, publicOrigin)) throw crossOrigin()
    return
  }
  // A browser sends at least one of the two with every change: with a cookie and neither, we cannot tell, so no.
  if (site === undefined && headers.cookie !== undefined) throw crossOrigin()
}

function isOurs(origin: string, host: string | undefined, publicOrigin: string | undefined): boolean {
  if (publicOrigin !== undefined && origin === publicOrigin) return true
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase()
}

const crossOrigin = () =>
  fail(
    'cross-origin',
    'This request did not come from a page of Careloop. Open Careloop itself, or use a service token.',
  )
