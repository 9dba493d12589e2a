import { describe, expect, test } from 'vitest'
import { normaliseLogin } from './person-login.ts'
import { idleLockOf } from './session-hold.ts'

const minute = 60_000

describe('what patients and caregivers sign in with', () => {
  test.each([
    [' Kuni@Example.ORG ', 'kuni@example.org'],
    ['+43 (664) 123-45.67', '+436641234567'],
    ['0043 664 1234567', '+436641234567'],
    ['＋43 664 1234567', '+436641234567'],
  ])('%j is %s', (typed, login) => {
    expect(normaliseLogin(typed)).toBe(login)
  })

  test.each(['0664 1234567', '+12', '+123456789012345678', 'kuni', 'a@b', '@example.org', '+43 call me', ''])(
    '%j is neither address nor telephone number',
    (typed) => {
      expect(normaliseLogin(typed)).toBeNull()
    },
  )

  test('their sessions lock after half an hour, or later where the clinic says so; staff as the clinic says', () => {
    expect(idleLockOf(['patient'], 15 * minute)).toBe(30 * minute)
    expect(idleLockOf(['caregiver'], 60 * minute)).toBe(60 * minute)
    expect(idleLockOf(['nurse'], 15 * minute)).toBe(15 * minute)
  })
})
