import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { nodeProblems } from '../../scripts/checks/node-version.ts'
import { ROOT } from '../../scripts/source/repository.ts'
import { outcomeOf, type Report } from '../../scripts/testing/outcome.ts'

describe('Node', () => {
  test('is 24 here, and is asked to be', () => {
    expect(process.version).toMatch(/^v24\./)
    expect(nodeProblems()).toEqual([])
    expect(nodeProblems('v20.1.0').join()).toMatch(/Node v20\.1\.0/)
  })

  test('is 24 in a script that npm runs, whatever the machine has', () => {
    const version = execFileSync('npm', ['exec', '--offline', '--', 'node', '--version'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect(version).toMatch(/^v24\./)
  })
})

describe('what a run came to', () => {
  const file = (name: string, status: string, tests: readonly string[]): Report['testResults'][number] => ({
    name: `/repo/${name}`,
    status,
    startTime: 0,
    endTime: 1500,
    assertionResults: tests.map((each) => ({ fullName: `does ${each}`, status: each })),
  })
  const report = (failed: number, ...files: Report['testResults']): Report => ({
    numPassedTests: 1,
    numFailedTests: failed,
    testResults: files,
  })

  test('passed and failed tests count', () => {
    const all = report(1, file('a.test.ts', 'failed', ['passed', 'failed']))
    expect(outcomeOf(all, 1, '/repo')).toMatchObject({ passed: 1, failed: 1, besides: [], skipped: [] })
  })

  test('a file that could not be run counts as failed', () => {
    const all = report(0, file('a.test.ts', 'passed', ['passed']), file('b.test.ts', 'failed', ['skipped']))
    const broken = { failed: 1, besides: ['b.test.ts could not be run.'], skipped: [] }
    expect(outcomeOf(all, 1, '/repo')).toMatchObject(broken)
  })

  test('an error outside of the tests counts as failed', () => {
    const all = report(0, file('a.test.ts', 'passed', ['passed']))
    expect(outcomeOf(all, 1, '/repo')).toMatchObject({ passed: 1, failed: 1 })
    expect(outcomeOf(all, 0, '/repo')).toMatchObject({ passed: 1, failed: 0 })
  })

  test('no report is a failure; what did not run is named', () => {
    expect(outcomeOf(undefined, null, '/repo').failed).toBe(1)
    const all = report(0, file('a.test.ts', 'passed', ['passed', 'skipped', 'todo']))
    expect(outcomeOf(all, 0, '/repo').skipped).toEqual(['a.test.ts: does skipped', 'a.test.ts: does todo'])
  })
})
