/**
 * `node scripts/make-data-fixture.ts`: makes a data directory with today's code and keeps it in test/fixtures. Every later commit
 * must open it (test/data-fixture.test.ts). Make one when the schema of a release has settled; never replace or edit one.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from '../packages/platform/src/engine/index.ts'
import { pack } from '../test/data-fixture/archive.ts'
import { contents } from '../test/data-fixture/contents.ts'
import { EXPECTED, type Expected, withKept } from '../test/data-fixture/open-kept.ts'

/**
 * Writes all contents into a new data directory below `dir` and notes what they give when they are read back.
 * Small write-ahead log files make a small archive.
 */
export async function makeKept(dir: string, commit: string): Promise<Expected> {
  const write = async (engine: Engine) => {
    for (const content of contents) await content.write(engine)
  }
  const { to } = await withKept(dir, write, ['--wal-segsize=1'])
  const read = async (engine: Engine) => {
    const given: [string, unknown][] = []
    for (const content of contents) given.push([content.name, await content.read(engine)])
    return Object.fromEntries(given)
  }
  const expected: Expected = { commit, schema: to, contents: (await withKept(dir, read)).result }
  writeFileSync(join(dir, EXPECTED), `${JSON.stringify(expected, null, 2)}\n`)
  // Made anew by whoever opens it; the password is one that a restored directory does not have either.
  for (const name of ['password', 'start.log', 'cluster/log', 'cluster/socket', 'cluster/postmaster.opts']) {
    rmSync(join(dir, 'data/postgres', name), { recursive: true, force: true })
  }
  return expected
}

if (import.meta.main) {
  const dir = mkdtempSync(join(tmpdir(), 'careloop-fixture-'))
  try {
    const commit = execFileSync('git', ['rev-parse', '--short=8', 'HEAD'], { encoding: 'utf8' }).trim()
    const { schema } = await makeKept(dir, commit)
    const name = `data-dir-${String(schema).padStart(4, '0')}-${commit}.tar.zst`
    const file = fileURLToPath(new URL(`../test/fixtures/${name}`, import.meta.url))
    pack(dir, file)
    console.log(`test/fixtures/${name}: ${(statSync(file).size / 1e6).toFixed(1)} MB`)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
