import { expect, test } from 'vitest'
import { questionOf } from './clinical.ts'

test('careloop clinical rebuild refuses what is no id and no time, and says which option it was', () => {
  expect(() => questionOf({ subject: 'Kunigunde' })).toThrow(expect.objectContaining({ pointer: '/options/subject' }))
  expect(() => questionOf({ since: 'yesterday' })).toThrow(expect.objectContaining({ pointer: '/options/since' }))
  expect(questionOf({})).toEqual({})
  expect(questionOf({ subject: '019CA869-5000-7672-8E6E-45FDB98ABB60', since: '2026-11-01T00:00:00Z' })).toEqual({
    subject: '019ca869-5000-7672-8e6e-45fdb98abb60',
    since: Date.UTC(2026, 10, 1),
  })
})
