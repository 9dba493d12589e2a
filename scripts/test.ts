/**
 * `npm test [-- words for Vitest]`: brings what the tests need, builds the pages when they are stale, runs everything. The last line
 * is `N passed, N failed`. A test that did not run is named and, unless the shared material is what it lacks, counts as failed.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildWeb } from './build-web.ts'
import { nodeProblems } from './checks/node-version.ts'
import { ROOT } from './source/repository.ts'
import { type Outcome, outcomeOf, type Report } from './testing/outcome.ts'
import { ensureTools, howToInstall } from './testing/tools.ts'

const SLOW_FILES = 10
const material = existsSync(join(ROOT, '../shared/material'))

/** @returns the last lines and whether all is well */
async function main(words: readonly string[]): Promise<boolean> {
  const began = performance.now()
  const wrongNode = nodeProblems()
  if (wrongNode.length > 0) return refuse(wrongNode)
  const missing = ensureTools(console.log)
  if (missing.length > 0) return refuse([howToInstall(missing)])
  if (await buildWeb()) console.log('Pages built.')
  const outcome = await vitest(words)
  const failed = outcome.failed + (material ? outcome.skipped.length : 0)
  tell(outcome, (performance.now() - began) / 1000)
  console.log(`${outcome.passed} passed, ${failed} failed`)
  return failed === 0
}

function refuse(lines: readonly string[]): boolean {
  for (const line of lines) console.error(line)
  console.log('0 passed, 1 failed')
  return false
}

/** Runs Vitest as a child, which ends with us. */
async function vitest(words: readonly string[]): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'careloop-report-'))
  const file = join(dir, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...words], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const exitCode = await new Promise<number | null>((ended) => child.on('close', ended))
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined
  rmSync(dir, { recursive: true, force: true })
  return outcomeOf(report, exitCode, ROOT)
}

function tell({ files, skipped, besides }: Outcome, seconds: number): void {
  console.log(`\nSlowest files (${seconds.toFixed(0)} s in all):`)
  for (const { name, seconds: took } of files.slice(0, SLOW_FILES))
    console.log(`${took.toFixed(1).padStart(7)} s  ${name}`)
  for (const line of besides) console.log(line)
  if (skipped.length === 0) return
  const why = material ? 'they count as failed' : 'the shared material does not lie beside this folder'
  console.log(`\n${skipped.length} did not run (${why}):`)
  for (const name of skipped) console.log(`  ${name}`)
}

process.exitCode = await main(process.argv.slice(2)).then(
  (well) => (well ? 0 : 1),
  (error: unknown) => {
    console.error(error)
    console.log('0 passed, 1 failed')
    return 1
  },
)
