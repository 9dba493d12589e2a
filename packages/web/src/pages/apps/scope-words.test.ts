import { expect, test } from 'vitest'
import { scopeWords } from './scope-words.ts'

test.each([
  ['patient/Observation.rs', 'read and find measurements of the patient'],
  ['patient/Observation.read', 'read and find measurements of the patient'],
  ['user/*.cruds', 'add, read, change, delete and find everything in the record of everybody whom you see'],
  [
    'patient/Observation.r?category=http://x|vital-signs',
    'read measurements of the patient, only where category is vital-signs',
  ],
  ['system/Basic.s', 'find Basic of everybody whom it may see'],
  ['offline_access', 'go on when you have signed out, for 90 days or until you take it back'],
  ['unheard/of', 'unheard/of'],
])('apps > %s is told as: %s', (scope, words) => {
  expect(scopeWords(scope)).toBe(words)
})
