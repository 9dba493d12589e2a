/** What is configured of the mail server, checked. A mail server that reads along, or a header that somebody smuggled in, is refused here. */

export interface MailSettings {
  readonly host: string
  readonly port: number
  /** `always`: TLS from the first byte; `upgrade`: STARTTLS or nothing; `none`: plain, on this machine or by leave. */
  readonly tls: 'always' | 'upgrade' | 'none'
  readonly login: { readonly user: string; readonly pass: string } | null
  /** As it stands in the header: `Careloop <careloop@clinic.example>` or the bare address. */
  readonly from: string
  readonly address: string
  /** Address of the pages, for the link; null = a mail without a link. */
  readonly origin: string | null
}

/** By its digits: `127.example.com` is a name that somebody else may have, and would get the password in the clear. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

/**
 * @param url `smtps://user:password@host:465`, `smtp://user:password@host:587` (STARTTLS, required beyond this machine), with
 *   `?tls=none` for a server without TLS
 * @returns the settings, or in words what is wrong with which of the two; never repeats the password
 */
export function readMailSettings(
  url: string,
  from: string | undefined,
  origin: string | undefined,
): MailSettings | { readonly wrong: 'url' | 'from'; readonly says: string } {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !['smtp:', 'smtps:'].includes(parsed.protocol) || parsed.hostname === '')
    return { wrong: 'url', says: 'smtps://user:password@host:465 or smtp://user:password@host:587 is expected.' }
  const wanted = parsed.searchParams.get('tls')
  if (wanted !== null && wanted !== 'none') return { wrong: 'url', says: '?tls= knows only none.' }
  // A display name without what could end the header or its quoting, and one address.
  const match = /^(?:[^\p{Cc}<>",;:\\]+ <([^\s<>@",;:\\]+@[^\s<>@",;:\\]+)>|([^\s<>@",;:\\]+@[^\s<>@",;:\\]+))$/u.exec(
    from ?? '',
  )
  if (match === null)
    return { wrong: 'from', says: 'one address is expected, e.g. Careloop <careloop@clinic.example>.' }
  const plain = wanted === 'none' || isLoopback(parsed.hostname)
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (parsed.protocol === 'smtps:' ? 465 : 587) : Number(parsed.port),
    tls: parsed.protocol === 'smtps:' ? 'always' : plain ? 'none' : 'upgrade',
    login:
      parsed.username === ''
        ? null
        : { user: decodeURIComponent(parsed.username), pass: decodeURIComponent(parsed.password) },
    from: from!,
    address: match[1] ?? match[2]!,
    origin: origin ?? null,
  }
}
