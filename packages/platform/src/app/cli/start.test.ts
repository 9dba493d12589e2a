import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)

/** A process that breaks by an error which quotes a person, as PostgreSQL's do. */
const broken = (how: string) => `
  import { endOnCrash } from ${at('./start.ts')}
  import { makeWatch } from ${at('../../engine/index.ts')}
  endOnCrash(makeWatch(), async () => console.log('ended in order'))
  const error = Object.assign(new Error('duplicate key'), { detail: 'Key (name)=(CanaryBird)' })
  ${how}
  setInterval(() => {}, 1000)`

test.each([
  ['an exception', 'setTimeout(() => { throw error }, 1)'],
  ['a rejection', 'void Promise.reject(error)'],
])('careloop start > %s that nobody caught is told, and the process ends in order with exit code 1', async (_, how) => {
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', broken(how)])
  const { code, stdout, stderr } = await run.then(
    () => expect.unreachable('the process ended well'),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
  expect(code).toBe(1)
  expect(stdout).toContain('"level":"fatal"')
  expect(stdout).toContain('ended in order')
  expect(stdout + stderr).not.toContain('CanaryBird')
})
