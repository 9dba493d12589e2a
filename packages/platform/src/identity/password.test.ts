import { argon2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { assertPassword, hashPassword, verifyPassword } from './password.ts'

test('identity > a password opens its own hash and no other', async () => {
  const hash = await hashPassword('quiet lamps over water')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(hash).not.toContain('quiet')
  expect(await verifyPassword(hash, 'quiet lamps over water')).toBe(true)
  expect(await verifyPassword(hash, 'quiet lamps over water ')).toBe(false)
  expect(await hashPassword('quiet lamps over water')).not.toBe(hash)
})

test('identity > a hash made with older costs still opens, another kind never does', async () => {
  const salt = Buffer.alloc(16, 7)
  const costs = { memory: 8192, passes: 1, parallelism: 1, tagLength: 32 }
  const hash = argon2Sync('argon2id', { message: 'one two three four', nonce: salt, ...costs })
  const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  const older = `$argon2id$v=19$m=8192,t=1,p=1$${text(salt)}$${text(hash)}`
  expect(await verifyPassword(older, 'one two three four')).toBe(true)
  expect(await verifyPassword('$2b$10$abc', 'one two three four')).toBe(false)
})

test.each(['short', 'aaaaaaaaaaaaaaaaaaaa', 'x'.repeat(300), 'ana.nurse@ward.example'])(
  'identity > refuses a weak password and points at it (%#)',
  (password) => {
    expect(() => assertPassword(password, 'Ana.Nurse@ward.example')).toThrowError(
      expect.objectContaining({ code: 'password-weak', pointer: '/body/password' }),
    )
  },
)
