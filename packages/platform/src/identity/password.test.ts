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

const about = ['nora.nurse@stanna.example', 'Nora Nurse', 'St. Anna Clinic'] as const

test.each([
  ['short', '7 more needed'],
  ['x'.repeat(300), 'Too long'],
  ['aaaaaaaaaaaaaaaaaaaa', 'lists of known passwords'],
  ['passwordpassword', 'lists of known passwords'],
  ['password1234', 'lists of known passwords'],
  ['P@ssw0rd2024!', 'lists of known passwords'],
  ['Qwertyuiop12', 'lists of known passwords'],
  ['123456789012', 'lists of known passwords'],
  ['letmeinletmein', 'lists of known passwords'],
  ['nora.nurse@stanna.example', 'your name, your address, your organisation'],
  ['Nora Nurse 2024', 'your name, your address, your organisation'],
  ['stanna-clinic-1', 'your name, your address, your organisation'],
  ['Careloop2024!', 'your name, your address, your organisation or Careloop'],
  ['careloopcareloop', 'Careloop'],
])('passwords > %s is refused, with the reason and what to do', (password, reason) => {
  expect(() => assertPassword(password, about)).toThrowError(
    expect.objectContaining({
      ...{ code: 'password-weak', pointer: '/body/password', message: expect.stringContaining(reason) },
    }),
  )
})

test.each([
  'quiet lamps over water',
  'seven lanterns on the quay',
  'nora likes quiet lamps over water',
  'тихие лампы над водой',
  '静かな水の上の七つの明かりと舟',
  'émigré façade naïve coöp',
  'a phrase that is far longer than sixty-four characters, with spaces, commas and no digit at all',
])('passwords > %s is taken: any script, spaces, no rule of composition', (password) => {
  expect(() => assertPassword(password, about)).not.toThrow()
})

test('passwords > length is counted in characters, and the same phrase of another keyboard opens', async () => {
  // 11 characters, 22 UTF-16 units.
  expect(() => assertPassword('🦀🐙🦑🐠🐡🐟🐬🐳🦈🐊🐢', about)).toThrowError(/1 more needed/)
  const hash = await hashPassword('Zoë sails over water')
  expect(await verifyPassword(hash, 'Zoe\u0308 sails over water')).toBe(true)
})
