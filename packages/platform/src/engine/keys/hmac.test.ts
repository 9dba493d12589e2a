import { createHmac, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { hmacKey, hmacSha256, shredHmacKey } from './hmac.ts'

test('keys > an HMAC is the one of RFC 4231, and of node:crypto for any text', () => {
  // RFC 4231, test case 2.
  const known = hmacSha256(hmacKey(Buffer.from('Jefe')), 'what do ya want for nothing?')
  expect(known.toString('hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
  const key = randomBytes(32)
  for (const text of ['', 'a', 'Müller 😀', 'x'.repeat(55), 'x'.repeat(64), 'x'.repeat(1000)]) {
    expect(hmacSha256(hmacKey(key), text)).toEqual(createHmac('sha256', key).update(text, 'utf8').digest())
  }
})

test('keys > a key that is shredded gives nothing of what it gave', () => {
  const key = hmacKey(randomBytes(32))
  const before = hmacSha256(key, 'a')
  shredHmacKey(key)
  expect(hmacSha256(key, 'a')).not.toEqual(before)
  expect(() => hmacKey(randomBytes(65))).toThrow(RangeError)
})
