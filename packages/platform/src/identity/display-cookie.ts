/** The cookie of a wall screen: sent to the screen's own routes only, read by no script, apart from the session of a person. */
import type { Displays } from './displays.ts'
import type { DisplayPrincipal } from './principal.ts'

const plainName = 'careloop.display'
/** Whose name begins so is taken by browsers over TLS only. */
const nameOf = (isSecure: boolean): string => (isSecure ? `__Secure-${plainName}` : plainName)

/** @param maxAgeS seconds until the screen expires */
export const displayCookie = (isSecure: boolean, credential: string, maxAgeS: number): string =>
  `${nameOf(isSecure)}=${credential}; Max-Age=${maxAgeS}; Path=/api/v1/display; HttpOnly; SameSite=Strict` +
  (isSecure ? '; Secure' : '')

/** Which screen a request's cookies show, if any. */
export async function displayByCookie(
  displays: Pick<Displays, 'byCredential'>,
  isSecure: boolean,
  header: string | undefined,
): Promise<DisplayPrincipal | null> {
  const prefix = `${nameOf(isSecure)}=`
  const part = header?.split(/; */).find((each) => each.startsWith(prefix))
  const credential = part?.slice(prefix.length) ?? ''
  return /^clw_[A-Za-z0-9_-]{20,100}$/.test(credential) ? displays.byCredential(credential) : null
}
