import { expect, test } from 'vitest'
import { testShell } from './testing/test-shell.ts'

test.each([
  ['a demo’s, before anybody has signed in', { isDemo: true }, true],
  ['not a demo’s unless that is known', {}, false],
])('place > says of data that they are %s', async (_, options, demo) => {
  const shell = await testShell(options)
  expect((await shell.server.inject('/api/v1/place')).json()).toEqual({ demo })
  await shell.close()
})
