/** What an authenticator app does. */
import { codeAt, fromBase32, stepAt } from './totp.ts'

/** @param secret base32 @param later steps of 30 s after now: a code is good once, so a second sign-in takes the next one */
export function appCode(secret: string, nowMs: number, later = 0): string {
  const bytes = fromBase32(secret)
  if (bytes === null) throw new Error('this is not base32')
  return codeAt(bytes, stepAt(nowMs) + later)
}
