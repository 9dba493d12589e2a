/** Addresses that an app may be given back to. Registered once, compared letter by letter ever after (RFC 9700, 2.1). Pure. */

/** Why it cannot be registered, or null. */
export function wrongWithRedirect(text: string): string | null {
  if (!URL.canParse(text)) return 'A whole address is expected: https://host/path.'
  const url = new URL(text)
  if (text.includes('#')) return 'It must not carry a fragment (#).'
  if (url.username !== '' || url.password !== '') return 'It must not carry a name or a password.'
  if (text.includes('*')) return 'It stands for one address: no wildcards.'
  if (url.protocol === 'https:') return null
  if (url.protocol === 'http:' && isLoopback(url.hostname)) return null
  return 'Only https:// is safe; http:// on the person’s own machine (localhost, 127.0.0.1).'
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '127.0.0.1' || host === '[::1]'

/** The address with what the app is told behind it. */
export function redirectTo(uri: string, said: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(uri)
  for (const [name, value] of Object.entries(said)) if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}
