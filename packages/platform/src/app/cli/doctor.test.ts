import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pagesFinding } from './doctor.ts'

const scripts = (
  JSON.parse(readFileSync(new URL('../../../../../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>
  }
).scripts

test('careloop doctor > pages that are not built are to be mended, and npm start builds them', () => {
  expect(pagesFinding(false)).toMatchObject({ state: 'bad', mend: expect.stringContaining('npm start') })
  expect(pagesFinding(true)).toMatchObject({ state: 'good' })
  expect(scripts.prestart).toContain('scripts/build-web.ts')
})
