/**
 * The address that apps know us by: configured, or that of this very machine. What a request says of itself counts nowhere else: whoever
 * names us in a header would have tokens made in that name.
 */
import { fail } from '../errors.ts'
import { type Addresses, addressesOf } from './smart-documents.ts'

/** @throws Failure `smart-not-here` */
export function addressesAt(publicOrigin: string | undefined, host: string | undefined, isTls: boolean): Addresses {
  if (publicOrigin !== undefined) return addressesOf(publicOrigin)
  if (host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(host))
    return addressesOf(`${isTls ? 'https' : 'http'}://${host}`)
  throw fail(
    'smart-not-here',
    'Apps need to know this server by one address. Set CARELOOP_PUBLIC_ORIGIN, or use http://localhost on this machine.',
  )
}
