/** Who asked a route, as identity's own functions take it. */
import type { ActedBy } from './acted-by.ts'
import { fail } from './errors.ts'
import { actorOf, type PersonOrService, type Principal, type StaffPrincipal } from './principal.ts'
import type { Asker } from './proof.ts'

interface Asked {
  readonly principal: PersonOrService
  readonly requestId: string
  readonly ip: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export const by = (ctx: Pick<Asked, 'principal' | 'requestId'>): ActedBy => ({
  actor: actorOf(ctx.principal),
  requestId: ctx.requestId,
})

/** @throws Failure `not-allowed` for a service */
export const askerOf = (ctx: Asked): Asker => ({
  ...{ person: assertStaff(ctx.principal), ip: ctx.ip, requestId: ctx.requestId },
  ...{ userAgent: [ctx.headers['user-agent']].flat()[0], host: [ctx.headers.host].flat()[0] },
  // The sign-in library's mark of a cookie that ends with the browser.
  remember: !/(^|[; -])careloop\.dont_remember=/.test([ctx.headers.cookie].flat().join(';')),
})

/** @throws Failure `not-allowed` for a service: it has no session and no password */
export function assertStaff(principal: Principal): StaffPrincipal {
  if (principal.kind === 'staff') return principal
  throw fail('not-allowed', 'Only a person who is signed in has sessions and a password.')
}
