/** What sign-in keeps in the browser between its steps, and what it answers. No token leaves in a body. */
import type { SignedIn } from '@careloop/contract'
import type { Identity } from './identity.ts'
import { challengeMs, type Peer, type SignInStep } from './sign-in.ts'
import { cookieName } from './staff-auth.ts'

interface Asked {
  readonly ip: string
  readonly requestId: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export const peerOf = ({ ip, requestId, headers }: Asked): Peer => ({
  ...{ ip, requestId, userAgent: [headers['user-agent']].flat()[0], host: [headers.host].flat()[0] },
})

export const shown = (step: SignInStep): SignedIn =>
  step.next === 'second-factor'
    ? { next: step.next, factors: [...step.factors] }
    : { next: step.next, user: { ...step.user } }

/** Holds the token of the challenge between the first factor and the second. */
export const challengeCookie = 'second_factor'
/** Holds what a challenge for a passkey alone is bound to. */
export const passkeyCookie = 'passkey'

/** A finished sign-in takes its challenge away. @returns values of Set-Cookie */
export const cookiesOf = (identity: Identity, step: SignInStep): string[] =>
  step.next === 'second-factor'
    ? [shortCookie(identity, challengeCookie, step.challenge, challengeMs)]
    : [...step.cookies, shortCookie(identity, challengeCookie, '', 0)]

/** For all of the host, as a `__Host-` cookie must be; only our sign-in routes look at it. @param ageMs 0 takes it away */
export function shortCookie({ secureCookies }: Identity, name: string, value: string, ageMs: number): string {
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secureCookies ? '; Secure' : ''}`
  return `${cookieName(secureCookies, name)}=${value}; Max-Age=${ageMs / 1000}; ${attributes}`
}

export function cookieNamed(
  header: string | string[] | undefined,
  { secureCookies }: Identity,
  name: string,
): string | undefined {
  const start = `${cookieName(secureCookies, name)}=`
  const pairs = [header].flat().flatMap((each) => (each ?? '').split(';'))
  return pairs
    .find((pair) => pair.trim().startsWith(start))
    ?.trim()
    .slice(start.length)
}
