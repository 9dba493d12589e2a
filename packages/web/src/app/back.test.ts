import { expect, it } from 'vitest'
import { backOf } from './back.ts'

it.each(['/', '/worklist?task=0199', '/subjects/0199?hours=48'])('back > %s is ours', (back) =>
  expect(backOf({ back })).toEqual({ back }),
)

it.each([
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  'https://evil.example',
  7,
  undefined,
])('back > %j leads elsewhere or nowhere, and is left out', (back) => expect(backOf({ back })).toEqual({}))
