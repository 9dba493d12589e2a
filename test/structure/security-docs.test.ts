import { describe, expect, test } from 'vitest'
import { heldProblems, heldRows, securityDocs, unheldRows } from '../../scripts/checks/held-by.ts'
import { ROOT } from '../../scripts/source/repository.ts'

const docs = securityDocs(ROOT)
/** Every row of these is a promise. */
const whole = ['docs/security/threats.md', 'docs/security/hipaa.md']

describe('docs/security', () => {
  test('names tests that are there and run', () => {
    const rows = docs.flatMap(({ doc, markdown }) => heldRows(doc, markdown))
    expect(heldProblems(ROOT, rows)).toEqual([])
    expect(rows.length).toBeGreaterThan(60)
  })

  test.each(whole)('%s: every row names its test, or says why none holds it', (name) => {
    const found = docs.find(({ doc }) => doc === name)
    expect(found).toBeDefined()
    expect(unheldRows(name, found!.markdown)).toEqual([])
  })

  test.each([
    'Spoofing',
    'Tampering',
    'Repudiation',
    'Information disclosure',
    'Denial of service',
    'Elevation of privilege',
  ])('threats.md tells of %s', (kind) =>
    expect(docs.find(({ doc }) => doc.endsWith('threats.md'))?.markdown).toContain(`## ${kind}`),
  )
})

describe('what is found', () => {
  const own = 'test/structure/security-docs.test.ts'
  test('a row without a test', () => {
    expect(unheldRows('a.md', '| Threat | How |\n|---|---|\n| A thief | a lock |')).toHaveLength(1)
    expect(unheldRows('a.md', '| Threat | How |\n|---|---|\n| A thief | a lock | not held: no lock here |')).toEqual([])
  })

  test('a test that is not there', () => {
    expect(heldProblems(ROOT, heldRows('a.md', `| A thief | a lock | \`${own}\` | a row without a test |`))).toEqual([])
    expect(heldProblems(ROOT, heldRows('a.md', `| A thief | a lock | \`${own}\` | none of this name |`))).toHaveLength(
      1,
    )
    expect(heldProblems(ROOT, heldRows('a.md', '| A thief | a lock | `test/none.test.ts` | any |'))).toHaveLength(1)
  })
})
