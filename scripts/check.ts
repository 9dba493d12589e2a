/** `npm run check`: what must hold before a commit. One line a check; what to do stands below the one that fails. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { askAdvisories } from './checks/advisories.ts'
import { codeProblems, codesInCode, codesInDoc, unusedCodes } from './checks/error-codes.ts'
import { factProblems, factsInCode, factsInDoc, factsOfRooms } from './checks/facts.ts'
import { globalProblems, wordProblems } from './checks/globals.ts'
import { layerProblems } from './checks/layers.ts'
import { licenceProblems, licensed } from './checks/licences.ts'
import { lockProblems, readLock } from './checks/lockfile.ts'
import { machinePathProblems } from './checks/machine-paths.ts'
import { nodeProblems } from './checks/node-version.ts'
import { noticeProblems } from './checks/notice.ts'
import { makeSbom, sbomProblems } from './checks/sbom.ts'
import { migrationProblems, ownerProblems, tableOwners } from './checks/table-owners.ts'
import { checkOpenApi } from './openapi.ts'
import { checkSchemaManifest } from './schema-manifest.ts'
import { allSources, ROOT, repositoryFiles } from './source/repository.ts'

interface Check {
  readonly name: string
  /** What to do when it fails. */
  readonly mend: string
  /** @returns a line for each problem */
  run(): readonly string[] | Promise<readonly string[]>
}

const checks: readonly Check[] = [
  { name: 'node', mend: 'Use Node 24.', run: () => nodeProblems() },
  { name: 'types', mend: 'Mend the types; nothing is cast away.', run: types },
  { name: 'lint and format', mend: 'npm run format mends what can be mended by itself.', run: biome },
  {
    name: 'layers',
    mend: 'docs/adr and AGENTS.md say who may call whom.',
    run: () => [...layerProblems(allSources()), ...globalProblems(allSources()), ...wordProblems(allSources())],
  },
  {
    name: 'table owners',
    mend: 'Only the owning room writes a table: call it.',
    run: () => [...migrationProblems(ROOT), ...ownerProblems(allSources(), tableOwners(ROOT))],
  },
  {
    name: 'error codes',
    mend: 'Every code has a row in docs/errors.md under its room, and every row a code.',
    run: async () => {
      const codes = await codesInCode(ROOT, repositoryFiles())
      return [...codeProblems(codes, codesInDoc(ROOT)), ...unusedCodes(codes, allSources())]
    },
  },
  {
    name: 'facts',
    mend: 'contract, facts.ts of the room and docs/facts.md change in one commit.',
    run: async () =>
      factProblems(factsInCode(ROOT, allSources()), factsInDoc(ROOT), await factsOfRooms(ROOT, allSources())),
  },
  {
    name: 'schema manifest',
    mend: 'node scripts/schema-manifest.ts --write, and commit it with the migration.',
    run: checkSchemaManifest,
  },
  {
    name: 'OpenAPI',
    mend: 'node scripts/openapi.ts --write, and commit it with the route.',
    run: () => [checkOpenApi()].filter((problem) => problem !== null),
  },
  { name: 'lock file', mend: 'npm install name@version, exactly.', run: () => lockProblems(readLock(ROOT)) },
  {
    name: 'licences',
    mend: 'Choose another package, or judge it in scripts/checks/licences.ts and say why.',
    run: () => licenceProblems(licensed(ROOT, readLock(ROOT))),
  },
  {
    name: 'SBOM',
    mend: 'npm run sbom writes it; npm 10 or newer makes it from the lock file.',
    run: () => sbomProblems(makeSbom(), readLock(ROOT)),
  },
  {
    name: 'advisories',
    mend: 'npm update the package, or judge the advisory in scripts/checks/advisories.ts and say why it does not reach us.',
    run: advisories,
  },
  { name: 'NOTICE', mend: 'node scripts/notice.ts --write, and commit it.', run: () => noticeProblems(ROOT) },
  {
    name: 'machine paths',
    mend: 'Use paths from the root, or from the environment.',
    run: () => machinePathProblems(ROOT, repositoryFiles()),
  },
]

function advisories(): readonly string[] {
  const { problems, unasked } = askAdvisories()
  if (unasked === null) return problems
  if (process.env.CARELOOP_ADVISORIES === 'required') return [`The registry told nothing: ${unasked}`]
  console.log(`look advisories: NOT asked, the registry told nothing (${unasked}).`)
  return []
}

function types(): readonly string[] {
  const projects = ['.', ...(existsSync(join(ROOT, 'packages/web/src')) ? ['packages/web'] : [])]
  return projects.flatMap((project) => tool('tsc', ['-p', project, '--pretty', 'false']))
}

function biome(): readonly string[] {
  return tool('biome', ['check', '--max-diagnostics=200', '--error-on-warnings', '--reporter=concise', '.'])
}

/** Runs a tool of node_modules. @returns its lines when it fails */
function tool(name: string, args: readonly string[]): readonly string[] {
  const bin = join(ROOT, 'node_modules/.bin', name)
  const { status, stdout, stderr, error } = spawnSync(bin, args, { cwd: ROOT, encoding: 'utf8' })
  if (status === 0) return []
  const said = `${stdout ?? ''}\n${stderr ?? ''}\n${error?.message ?? ''}`
    .split('\n')
    .filter((line) => line.trim() !== '')
  return said.length > 0 ? said : [`${name} ended with ${status} and said nothing.`]
}

let failed = 0
for (const { name, mend, run } of checks) {
  const began = performance.now()
  const problems = await Promise.resolve()
    .then(run)
    .catch((error: unknown) => [error instanceof Error ? (error.stack ?? error.message) : String(error)])
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5)
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(16)} ${seconds} s`)
  if (problems.length === 0) continue
  failed += 1
  for (const problem of problems) console.log(`       ${problem}`)
  console.log(`     > ${mend}`)
}
console.log(failed === 0 ? 'All checks passed.' : `${failed} of ${checks.length} checks failed.`)
process.exitCode = failed === 0 ? 0 : 1
