import { expect, test } from 'vitest'
import { passwordHint } from './password-hint.ts'

test.each([
  ['', 'At least 12 characters. A few words that do not belong together do well.'],
  ['quiet lamps', '1 more needed.'],
  ['äöüäöüäöüäöü', 'Long enough, and the same few characters: use words.'],
  ['nora is a nurse here', 'Long enough. It holds “nora”, which is tried first: add words of other things.'],
  ['quiet lamps on', 'Long enough. Another word makes it strong.'],
  ['quiet lamps over water', 'Long and strong, unless it is a known phrase.'],
])('a new password %j > %s', (typed, hint) => {
  expect(passwordHint(typed, ['Nora Nurse', 'nora@clinic.example'])).toBe(hint)
})
