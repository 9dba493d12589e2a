import { expect, it } from 'vitest'
import { beginOf, timeText } from './call-time.ts'

it('takes a time of day for the newest that has passed, also over midnight', () => {
  const now = new Date(2026, 2, 3, 0, 10).getTime()
  expect(beginOf('23:50', now)).toBe(new Date(2026, 2, 2, 23, 50).getTime())
  expect(beginOf('00:05', now)).toBe(new Date(2026, 2, 3, 0, 5).getTime())
  expect(beginOf('', now)).toBeUndefined()
  expect(timeText(now)).toBe('00:10')
})
