/**
 * For which site passkeys are: a browser gives none to a page of another name, which is why they cannot be phished. The name comes
 * from the configuration and never from what a request says of itself, except on this machine.
 */
import { fail } from './errors.ts'

export interface RelyingParty {
  /** A host's name, without a port: WebAuthn's RP ID. */
  readonly id: string
  /** What browsers may say that the page is from. */
  readonly origins: readonly string[]
}

/**
 * @param publicOrigin as configured, e.g. `https://care.example.org`
 * @param host of the request: counts only where it says `localhost` and nothing is configured
 * @throws Failure `passkey-not-here`
 */
export function relyingParty(publicOrigin: string | undefined, host: string | undefined): RelyingParty {
  if (publicOrigin !== undefined) {
    const { hostname: id, protocol } = new URL(publicOrigin)
    // Browsers keep passkeys for names only, and only where nobody between could change the page.
    const isSafe = protocol === 'https:' || id === 'localhost'
    if (isSafe && !isAddress(id)) return { id, origins: [publicOrigin] }
    throw notHere()
  }
  if (host !== undefined && /^localhost(:\d{1,5})?$/.test(host))
    return { id: 'localhost', origins: [`http://${host}`, `https://${host}`] }
  throw notHere()
}

const isAddress = (name: string): boolean => name.startsWith('[') || /^[\d.]+$/.test(name)

const notHere = () =>
  fail(
    'passkey-not-here',
    'Passkeys work at http://localhost, and at the https address that the server is configured with (CARELOOP_PUBLIC_ORIGIN). Use a code here.',
  )
