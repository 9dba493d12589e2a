/**
 * What an app sent the person here with, letter by letter. Taken before the router writes the address anew: it reads `1e3` as a number,
 * and an app's `state` that comes back otherwise than it was sent is taken for an attack.
 */
const loaded = location.pathname === '/authorize' ? location.search : ''

/** Of a document that was loaded at the sign-in page on the way: as it stands behind `back`. */
function fromBack(): string {
  const back = new URLSearchParams(location.search).get('back') ?? ''
  return location.pathname === '/sign-in' && back.startsWith('/authorize?') ? back.slice('/authorize'.length) : ''
}
const carried = fromBack()

/** Without the question mark. */
export const askedQuery = (): string => (loaded || carried || location.search).replace(/^\?/, '')
