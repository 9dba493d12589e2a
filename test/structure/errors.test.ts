import { describe, expect, test } from 'vitest'
import { type Code, codeProblems, codesInCode, codesInDoc, unusedCodes } from '../../scripts/checks/error-codes.ts'
import { allSources, ROOT, repositoryFiles } from '../../scripts/source/repository.ts'
import { parseSource } from '../../scripts/source/source-file.ts'

describe('error codes', () => {
  test('each has a row that says what to do, and each row has its code', async () => {
    const code = await codesInCode(ROOT, repositoryFiles())
    expect(code.length).toBeGreaterThan(100)
    expect(codeProblems(code, codesInDoc(ROOT))).toEqual([])
  })

  test('each is given by somebody', async () => {
    expect(unusedCodes(await codesInCode(ROOT, repositoryFiles()), allSources())).toEqual([])
  })

  const code: Code = { code: 'log-closed', status: 503, disposition: 'retry', room: 'engine', where: 'errors.ts' }
  const row = { ...code, where: 'docs', says: 'The server is stopping. Send it again.' }

  test.each([
    ['a code without a row', [code], [], /`log-closed` has no row/],
    ['a row without a code', [], [row], /no errors\.ts has `log-closed`/],
    ['another status', [code], [{ ...row, status: 500 }], /status 500, in errors\.ts it is 503/],
    ['another disposition', [code], [{ ...row, disposition: 'bug' }], /disposition bug/],
    ['another room', [code], [{ ...row, room: 'audit' }], /room audit/],
    ['a code in two rooms', [code, { ...code, room: 'api' }], [row], /stands in errors\.ts already/],
    ['a row without words', [code], [{ ...row, says: 'Oh.' }], /say what it means/],
  ])('%s is found', (_, codes, rows, says) => {
    expect(codeProblems(codes, rows).join('\n')).toMatch(says)
  })

  test('a code that nobody gives is found', () => {
    const source = parseSource('packages/platform/src/engine/x.ts', `throw fail('log-open', 'Words.')`)
    expect(unusedCodes([code], [source])).toHaveLength(1)
  })
})
