/** Where to go after a sign-in, as an address may say it. */

/**
 * Only a path of ours: a link may not send a person who has just signed in elsewhere. Browsers drop tabs and line ends from an
 * address, so that behind the first slash they would make another site of it.
 */
export const backOf = (raw: Readonly<Record<string, unknown>>): { back?: string } =>
  typeof raw.back === 'string' && /^\/(?![/\\])[^\s\\]*$/.test(raw.back) ? { back: raw.back } : {}
