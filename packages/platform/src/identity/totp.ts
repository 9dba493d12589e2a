/**
 * Time-based one-time passwords, RFC 6238 over RFC 4226: HMAC-SHA-1, 6 digits, 30 s, as every authenticator app knows them. Pure.
 * better-auth's own plugin is not used: it takes the same code twice within its 30 s, locks an account out for a quarter of an
 * hour at anybody's wish, and keeps a real clock (docs/security/sign-in.md).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export const stepSeconds = 30
const digits = 6
/** Steps before and after now that are taken too: telephones' clocks differ, and typing takes a while (RFC 6238 5.2). */
const driftSteps = 1

/** 160 bits, as RFC 4226 4 R6 recommends. */
export const secretBytes = 20

export const stepAt = (nowMs: number): number => Math.floor(nowMs / 1000 / stepSeconds)

/** RFC 4226 5.3. @param length digits of the code; 8 in the RFC's vectors */
export function codeAt(secret: Uint8Array, step: number, length = digits): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const number = mac.readUInt32BE(mac.at(-1)! & 0x0f) & 0x7fffffff
  return String(number % 10 ** length).padStart(length, '0')
}

/** @returns the step that the code belongs to, null when it belongs to none near now */
export function stepOf(secret: Uint8Array, code: string, nowMs: number): number | null {
  const typed = Buffer.from(code.replaceAll(/\s/g, ''))
  let found: number | null = null
  // All are compared, so that the time taken does not tell which.
  for (let step = stepAt(nowMs) - driftSteps; step <= stepAt(nowMs) + driftSteps; step += 1) {
    const right = Buffer.from(codeAt(secret, step))
    if (typed.length === right.length && timingSafeEqual(typed, right)) found = step
  }
  return found
}

/** What the QR code says: the Key URI that authenticator apps read. Without spaces in the secret. */
export function keyUri(secret: Uint8Array, account: string, issuer: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`
  return `otpauth://totp/${label}?secret=${toBase32(secret)}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${digits}&period=${stepSeconds}`
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648 base32 without padding, as people type it into an app. */
export function toBase32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups.map((group) => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)]).join('')
}

/** Case, spaces and hyphens do not matter. @returns null for what is not base32 */
export function fromBase32(text: string): Buffer | null {
  let bits = ''
  for (const letter of text.toUpperCase().replaceAll(/[\s=-]/g, '')) {
    const value = alphabet.indexOf(letter)
    if (value < 0) return null
    bits += value.toString(2).padStart(5, '0')
  }
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/**
 * What an authenticator app shows, for the demo's people and for tests.
 * @param secret base32 @param later steps of 30 s after now: a code is good once, so a second sign-in takes the next one
 */
export function currentCode(secret: string, nowMs: number, later = 0): string {
  const bytes = fromBase32(secret)
  if (bytes === null) throw new Error('this is not base32')
  return codeAt(bytes, stepAt(nowMs) + later)
}
