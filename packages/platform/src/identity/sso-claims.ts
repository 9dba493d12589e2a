/** What an identity provider says of somebody, read: pure decisions over claims that were verified before. */
import { type Role, roles as staffRoles } from '@careloop/contract'
import type { SsoProvider } from './sso-provider.ts'

/** Claims of the ID token, and of userinfo where the token says nothing. */
export type Claims = Readonly<Record<string, unknown>>

/** Roles by the groups that the provider names, in the order of the contract; none = no access. Compared letter by letter. */
export function rolesOfGroups(claims: Claims, { groupsClaim, roleMap }: SsoProvider): Role[] {
  const groups = new Set(textsOf(claimNamed(claims, groupsClaim)))
  const given = new Set(roleMap.filter(({ group }) => groups.has(group)).flatMap(({ roles }) => roles))
  return staffRoles.filter((role) => given.has(role))
}

/** Whether the provider says that a second factor was asked, by a word that the administrator has named. */
export function provesSecondFactor(claims: Claims, { mfaAcr, mfaAmr }: SsoProvider): boolean {
  const acr = claimNamed(claims, 'acr')
  const amr = textsOf(claimNamed(claims, 'amr'))
  return (typeof acr === 'string' && mfaAcr.includes(acr)) || amr.some((each) => mfaAmr.includes(each))
}

export interface ClaimedEmail {
  /** Lower case. */
  readonly email: string
  /** The provider says itself that it belongs to this person. Left out is no. */
  readonly isVerified: boolean
}

export function emailOf(claims: Claims): ClaimedEmail | null {
  const email = claimNamed(claims, 'email')
  if (typeof email !== 'string' || email.length > 254 || !/^[^\s@]+@[^\s@]+$/.test(email)) return null
  return { email: email.trim().toLowerCase(), isVerified: claimNamed(claims, 'email_verified') === true }
}

/** Without a list every address will do, none too. With one, somebody without an address of it is not let in. */
export function isOfDomain(email: ClaimedEmail | null, { emailDomains }: SsoProvider): boolean {
  if (emailDomains.length === 0) return true
  return email !== null && emailDomains.includes(email.email.slice(email.email.lastIndexOf('@') + 1))
}

/** Shown to colleagues; the provider's word, cut to what a name is. */
export function displayNameOf(claims: Claims): string {
  const given = [claimNamed(claims, 'name'), claimNamed(claims, 'preferred_username')]
  const name = given.find((each): each is string => typeof each === 'string' && each.trim() !== '')
  return name === undefined ? 'Colleague' : [...name.trim()].filter(isShown).slice(0, 200).join('')
}

const isShown = (letter: string): boolean => !/\p{Cc}/u.test(letter)

/** When they last proved there who they are, ms; null = not said. */
export const provedAtOf = (claims: Claims): number | null => {
  const at = claimNamed(claims, 'auth_time')
  return typeof at === 'number' && Number.isFinite(at) ? at * 1000 : null
}

/** `groups`, or a path into objects such as Keycloak's `realm_access.roles`. Own properties only. */
function claimNamed(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  return path
    .split('.')
    .reduce<unknown>(
      (inside, name) =>
        typeof inside === 'object' && inside !== null && Object.hasOwn(inside, name)
          ? (inside as Claims)[name]
          : undefined,
      claims,
    )
}

const textsOf = (value: unknown): string[] => [value].flat().filter((each) => typeof each === 'string')

/**
 * Where to go after sign-in: a path of ours, else the first page. `//host`, `/\host` and what browsers make of tabs and line breaks
 * lead elsewhere: only what stays ours when it is read as browsers read it.
 */
export function returnPathOf(wanted: string | undefined): string {
  const ours = 'http://careloop.internal'
  if (wanted === undefined || wanted.length > 500 || !/^\/[^/\\]/.test(wanted) || /[\p{Cc}\\]/u.test(wanted)) return '/'
  if (!URL.canParse(wanted, ours)) return '/'
  const url = new URL(wanted, ours)
  if (url.origin !== ours || url.pathname.startsWith('//') || url.pathname.startsWith('/api/')) return '/'
  return `${url.pathname}${url.search}`
}
