import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { allSources, ROOT } from '../../scripts/source/repository.ts'

const VARIABLE = /^(CARELOOP_[A-Z_]+|DATABASE_URL)$/
/** Doors are configured by a pair each: the code names what they begin with. */
const parts = (name: string): string[] => [name, name.replace(/_(HOST|PORT)$/, '')]

test('environment > docs/server.md tells of every variable that the server reads, and of no other', () => {
  const config = allSources().find(({ path }) => path === 'packages/platform/src/app/config.ts')!
  const read = new Set(config.words.map(({ what }) => what).filter((word) => VARIABLE.test(word)))
  const told = [...readFileSync(join(ROOT, 'docs/server.md'), 'utf8').matchAll(/`([A-Z_]+)`/g)]
    .map(([, word]) => word!)
    .filter((word) => VARIABLE.test(word))
  expect(read.size).toBeGreaterThan(10)
  expect([...read].filter((name) => !told.some((each) => parts(each).includes(name)))).toEqual([])
  expect(told.filter((name) => !parts(name).some((each) => read.has(each)))).toEqual([])
})
