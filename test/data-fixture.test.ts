/** Data directories made by earlier commits must open for ever, and every row in them be read as it was written. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeKept } from '../scripts/make-data-fixture.ts'
import { pack, unpack } from './data-fixture/archive.ts'
import { contents } from './data-fixture/contents.ts'
import { type Expected, readExpected, withKept } from './data-fixture/open-kept.ts'

const FIXTURES = fileURLToPath(new URL('./fixtures', import.meta.url))
const kept = readdirSync(FIXTURES).filter((name) => /^data-dir-.*\.tar\.zst$/.test(name))

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'careloop-kept-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Opens an unpacked directory with today's code and reads all that it is known to hold. */
async function readBack(at: string): Promise<{ expected: Expected; found: Record<string, unknown>; from: number }> {
  const expected = readExpected(at)
  const { result, from } = await withKept(at, async (engine) => {
    const found: Record<string, unknown> = {}
    for (const name of Object.keys(expected.contents)) {
      const content = contents.find((each) => each.name === name)
      if (content === undefined)
        throw new Error(`Nobody can read "${name}" any more: give contents.ts its reader back.`)
      found[name] = await content.read(engine)
    }
    return found
  })
  return { expected, found: result, from }
}

test.each(kept)('data directory > %s opens and every row is as it was', async (name) => {
  unpack(join(FIXTURES, name), dir)
  const { expected, found, from } = await readBack(dir)
  expect(from).toBe(expected.schema)
  expect(found).toEqual(expected.contents)
})

test('data directory > one made by this commit can be packed, carried elsewhere and opened', async () => {
  const made = join(dir, 'made')
  const elsewhere = join(dir, 'elsewhere')
  for (const each of [made, elsewhere]) mkdirSync(each)
  const expected = await makeKept(made, 'this')
  expect(Object.values(expected.contents).every((content) => JSON.stringify(content).length > 4)).toBe(true)
  pack(made, join(dir, 'made.tar.zst'), 3)
  unpack(join(dir, 'made.tar.zst'), elsewhere)
  const { found } = await readBack(elsewhere)
  expect(found).toEqual(expected.contents)
})
