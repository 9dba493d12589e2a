/** `npm run sbom`: writes the bill of materials of this version to dist/careloop.cdx.json, for whoever buys, audits or runs it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLock } from './checks/lockfile.ts'
import { makeSbom, sbomProblems } from './checks/sbom.ts'
import { ROOT } from './source/repository.ts'

const sbom = makeSbom()
const problems = sbomProblems(sbom, readLock(ROOT))
for (const problem of problems) console.error(problem)
const file = join(ROOT, 'dist/careloop.cdx.json')
mkdirSync(join(ROOT, 'dist'), { recursive: true })
writeFileSync(file, `${JSON.stringify(sbom, null, 2)}\n`)
console.log(`${sbom.components.length} components (CycloneDX ${sbom.specVersion}): dist/careloop.cdx.json`)
process.exitCode = problems.length === 0 ? 0 : 1
