/** Pages that are built anew never take away what somebody still loads. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { publish } from '../scripts/build-web.ts'

let folder: string
let served: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'careloop-pages-'))
  served = join(folder, 'dist')
})
afterAll(() => rmSync(folder, { recursive: true }))

function build(name: string): void {
  const fresh = join(folder, `fresh-${name}`)
  mkdirSync(join(fresh, 'assets'), { recursive: true })
  writeFileSync(join(fresh, 'index.html'), `<script type="module" src="/assets/main-${name}.js"></script>`)
  writeFileSync(join(fresh, 'icon.svg'), `<svg id="${name}"/>`)
  writeFileSync(join(fresh, 'assets', `main-${name}.js`), name)
  writeFileSync(join(fresh, 'assets', 'shared.js'), 'the same in each')
  publish(fresh, served, `sha-of-${name}`)
}
const assets = () => readdirSync(join(served, 'assets')).sort()

test('pages > what a document of the last builds still loads stays, what is older goes', () => {
  for (const name of ['a', 'b', 'c']) build(name)
  expect(assets()).toEqual(['main-a.js', 'main-b.js', 'main-c.js', 'shared.js'])
  expect(readFileSync(join(served, 'index.html'), 'utf8')).toContain('main-c.js')
  expect(readFileSync(join(served, 'icon.svg'), 'utf8')).toContain('"c"')
  build('d')
  expect(assets()).toEqual(['main-b.js', 'main-c.js', 'main-d.js', 'shared.js'])
})

test('pages > a build of the same sources again counts once', () => {
  build('d')
  expect(assets()).toEqual(['main-b.js', 'main-c.js', 'main-d.js', 'shared.js'])
  const builds = JSON.parse(readFileSync(join(served, 'builds.json'), 'utf8')) as { from: string }[]
  expect(builds.map(({ from }) => from)).toEqual(['sha-of-d', 'sha-of-c', 'sha-of-b'])
  expect(existsSync(join(served, 'built-from.txt'))).toBe(false)
})
