import { expect, test } from 'vitest'
import { codeAt, fromBase32, keyUri, stepAt, stepOf, toBase32 } from './totp.ts'

const secret = Buffer.from('12345678901234567890')

// RFC 6238 appendix B, SHA-1.
test.each([
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
])('one-time codes > at %i s since 1970 the RFC says %s', (seconds, code) => {
  expect(codeAt(secret, stepAt(seconds * 1000), 8)).toBe(code)
})

// RFC 4226 appendix D.
test('one-time codes > the first ten counters give the codes of the RFC', () => {
  const codes = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ')
  expect(codes.map((_, counter) => codeAt(secret, counter))).toEqual(codes)
})

test('one-time codes > one of the step before, now or next is taken, with or without a space; none further away', () => {
  const now = 1_700_000_000_000
  const steps = [-2, -1, 0, 1, 2].map((away) => stepOf(secret, codeAt(secret, stepAt(now) + away), now))
  expect(steps.map((step) => step && step - stepAt(now))).toEqual([null, -1, 0, 1, null])
  const code = codeAt(secret, stepAt(now))
  expect(stepOf(secret, `${code.slice(0, 3)} ${code.slice(3)}`, now)).toBe(stepAt(now))
  for (const wrong of ['', '12345', '1234567', 'abcdef']) expect(stepOf(secret, wrong, now)).toBeNull()
})

// RFC 4648 section 10, without padding.
test.each([
  ['f', 'MY'],
  ['fo', 'MZXQ'],
  ['foo', 'MZXW6'],
  ['foob', 'MZXW6YQ'],
  ['fooba', 'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI'],
])('base32 > %s is %s, and back', (text, base32) => {
  expect(toBase32(Buffer.from(text))).toBe(base32)
  expect(fromBase32(base32.toLowerCase())?.toString()).toBe(text)
})

test('base32 > groups with spaces are read, other letters are not', () => {
  expect(fromBase32('mzxw 6ytb-oi')?.toString()).toBe('foobar')
  expect(fromBase32('MZXW1')).toBeNull()
})

test('one-time codes > the address for the app names issuer and account', () => {
  expect(keyUri(Buffer.from('foobar'), 'ana@clinic.example', 'Careloop St. Anna')).toBe(
    'otpauth://totp/Careloop%20St.%20Anna:ana%40clinic.example?secret=MZXW6YTBOI&issuer=Careloop%20St.%20Anna&algorithm=SHA1&digits=6&period=30',
  )
})
