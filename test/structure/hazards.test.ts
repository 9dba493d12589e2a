import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { vitalSignNotice } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { HAZARDS_DOC, hazardProblems, hazardsIn, testTitles } from '../../scripts/checks/hazards.ts'
import { ROOT } from '../../scripts/source/repository.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

describe('the safety file', () => {
  test('names for each control measure a test that is there and runs', () => {
    expect(hazardProblems(ROOT, read(HAZARDS_DOC))).toEqual([])
  })

  test.each([
    /wrong person/,
    /old value/,
    /wrong unit/,
    /raises no alert/,
    /comes late/,
    /so many alerts/i,
    /clock is wrong/,
    /silenced/,
    /correction is itself wrong/,
    /falls silent/,
    /hides behind/,
    /notification/,
    /without right/,
    /demo/i,
  ])('tells of the hazard %s', (words) => {
    expect(hazardsIn(read(HAZARDS_DOC)).some(({ title }) => words.test(title))).toBe(true)
  })

  test('has each hazard in its overview, and none else', () => {
    const markdown = read(HAZARDS_DOC)
    const listed = [...markdown.matchAll(/^\| \[(H\d+)\]\(#([\w-]+)\) \| (.+?) \|/gm)]
    expect(listed.map(([, id, , title]) => `${id} ${title}`)).toEqual(
      hazardsIn(markdown).map(({ id, title }) => `${id} ${title}`),
    )
    for (const [, , anchor] of listed) expect(markdown).toContain(`<a id="${anchor}"></a>`)
  })

  test('the notice at activation is the same text in the safety file and in the code', () => {
    const quoted = [...read('docs/safety/intended-use.md').matchAll(/^> (.+)$/gm)].map(([, words]) => words)
    expect(quoted).toEqual([vitalSignNotice])
  })
})

describe('what is found', () => {
  const hazard = (rows: string) =>
    `## H1 A hazard\n\n- *Sequence of events*: a.\n- *Hazardous situation*: b.\n- *Harm*: c.\n- *Residual*: d.\n\n${rows}\n`
  const here = 'test/structure/hazards.test.ts'

  test('a test that is there', () => {
    expect(hazardProblems(ROOT, hazard(`| words | \`${here}\` | a test that is there |`))).toEqual([])
  })

  test.each([
    ['a file that is not there', '| words | `test/none.test.ts` | any |', /there is no test\/none\.test\.ts/],
    [
      'a test that is not there',
      `| words | \`${here}\` | no test of this name |`,
      /has no test "no test of this name"/,
    ],
    ['a hazard without a measure', '', /no control measure/],
  ])('%s', (_, rows, says) => {
    expect(hazardProblems(ROOT, hazard(rows)).join('\n')).toMatch(says)
  })

  test('a hazard that does not say what remains', () => {
    expect(hazardProblems(ROOT, '## H1 A hazard\n').join('\n')).toMatch(/does not tell: residual/)
  })

  test('titles are read as written; skipped tests and drafts are none', () => {
    const text = `
      describe('room', () => { it('plain', f); test.each([1])('each %s', f); test(\`of \${n}\`, f); it.runIf(x)('runs if', f) })
      test.skip('skipped', f); it.todo('draft'); other('no test', f); describe.each([1])('group', f)`
    expect(testTitles('a.test.ts', text)).toEqual(['plain', 'each %s', `of ${'$'}{n}`, 'runs if'])
    expect(testTitles('a.test.yaml', 'timelines:\n  - name: a door\n')).toEqual(['a door'])
  })
})
