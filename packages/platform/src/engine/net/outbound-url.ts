/**
 * Where this server may be sent by somebody who only types an address: nowhere inside. Every URL that a user can set passes here
 * before it is kept, and again, with the address that was looked up, whenever it is called (OWASP SSRF; NIST SP 800-53 SC-7).
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { engineFailure } from '../errors.ts'

/** Which inner networks may be called all the same: a hospital's identity provider often stands inside. */
export interface OutboundPolicy {
  /** Addresses or CIDR ranges, e.g. `10.20.0.0/16`. Link-local ones (cloud metadata) are never called, whatever stands here. */
  readonly allowPrivate: readonly string[]
}

export const publicOnly: OutboundPolicy = { allowPrivate: [] }

/** All addresses of a name, as the resolver gives them. */
export type Resolve = (host: string) => Promise<readonly string[]>

const resolveByDns: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

export interface OutboundTarget {
  readonly url: URL
  /** What the connection is made to: the name is not looked up a second time, when it could answer otherwise (DNS rebinding). */
  readonly address: string
}

/**
 * @param text absolute; `https:` only, and `http:` only to a network that is allowed by the policy
 * @throws Failure `outbound-url-refused`: not a plain URL, carries credentials, or leads inside; it does not say what stands there
 */
export async function assertOutboundUrl(
  text: string,
  policy: OutboundPolicy,
  resolve: Resolve = resolveByDns,
): Promise<OutboundTarget> {
  if (!URL.canParse(text)) throw refused('A whole URL is expected: https://host/path.')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('Only https:// is called.')
  if (url.username !== '' || url.password !== '') throw refused('A URL with a name or password in it is not called.')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const addresses = isIP(host) ? [host] : await resolve(host).catch(() => [])
  if (addresses.length === 0) throw refused('This host is not known. Check the name.')
  // One address of several that leads inside is enough to refuse: which of them is taken is not for the other side to choose.
  const allowed = addresses.map((address) => reach(address, policy))
  if (allowed.includes('never')) throw refused(insideWords)
  if (url.protocol === 'http:' && allowed.includes('public')) throw refused('Only https:// is called.')
  return { url, address: addresses[0]! }
}

const insideWords =
  'This address leads inside the network. An operator may allow the network: CARELOOP_ALLOW_PRIVATE_URLS.'

/** Pure: `public`, an inner network that the policy allows, or neither. */
export function reach(address: string, policy: OutboundPolicy): 'public' | 'allowed' | 'never' {
  if (!ipaddr.isValid(address)) return 'never'
  // `::ffff:127.0.0.1` is 127.0.0.1.
  const parsed = ipaddr.process(address)
  const range = parsed.range()
  if (range === 'unicast') return 'public'
  if (range === 'linkLocal' || range === 'multicast' || range === 'broadcast' || range === 'unspecified') return 'never'
  return policy.allowPrivate.some((each) => contains(each, parsed)) ? 'allowed' : 'never'
}

function contains(network: string, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const [base, bits] = rangeOf(network)
  return base.kind() === address.kind() && address.match(base, bits)
}

/** @throws when it is neither an address nor a range; `config` asks `isNetwork` first */
const rangeOf = (network: string): [ipaddr.IPv4 | ipaddr.IPv6, number] => {
  if (network.includes('/')) return ipaddr.parseCIDR(network)
  const base = ipaddr.parse(network)
  return [base, base.kind() === 'ipv4' ? 32 : 128]
}

/** Whether a text is an address or a CIDR range. */
export const isNetwork = (text: string): boolean =>
  text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text)

const refused = (message: string) => engineFailure('outbound-url-refused', message)
