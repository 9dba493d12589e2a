import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formsOf, makeHaystack } from './needles.ts'

const value = 'Zwölf Müller/7 & "Söhne"'

test('phi at rest > the search itself finds a word in every form in which it may lie, across pieces of a file too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'careloop-needles-'))
  const forms = formsOf(value)
  expect(forms.size).toBeGreaterThan(20)
  for (const [form, bytes] of forms) {
    const haystack = makeHaystack([{ name: 'x', value }])
    writeFileSync(join(folder, 'f'), Buffer.concat([Buffer.alloc(8 * 1024 * 1024 - 5, 1), bytes, Buffer.alloc(9, 2)]))
    expect(haystack.searchFolder(folder)).toBeGreaterThan(8 * 1024 * 1024)
    expect(haystack.hits.map((hit) => hit.form)).toContain(form)
  }
  rmSync(folder, { recursive: true })
})

test('phi at rest > whoever encodes it in the middle of something else hides nothing', () => {
  const whole = (text: string) => Buffer.from(`${text}${value}, and more`)
  const hidden: Buffer[] = ['', 'a', 'ab', 'abc'].flatMap((before) => [
    Buffer.from(whole(before).toString('base64')),
    Buffer.from(whole(before).toString('base64url')),
    Buffer.from(whole(before).toString('hex')),
    Buffer.from(`${before}${value}`, 'utf16le'),
    Buffer.from(`x=${encodeURIComponent(`${before}${value}`)}&y`),
    Buffer.from(JSON.stringify({ note: `${before}${value}` })),
  ])
  for (const bytes of hidden) {
    const haystack = makeHaystack([{ name: 'x', value }])
    haystack.search('here', bytes)
    expect(haystack.hits.length, bytes.toString('latin1')).toBeGreaterThan(0)
  }
  const haystack = makeHaystack([{ name: 'x', value }])
  haystack.search('nothing', 'Zwölf Maler, and 7 of them')
  expect(haystack.hits).toEqual([])
})
