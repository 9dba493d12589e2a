/** The official examples, which lie beside the checkout and are never copied in; a clone without them says so in one line. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../../../shared/material/', import.meta.url))

export const hasMaterial = existsSync(folder)
if (!hasMaterial) console.info('The shared test material is not beside this checkout: only our own examples are run.')

export interface Example {
  readonly name: string
  /** As it was published, spelling and white space included. */
  readonly text: string
}

/** Every resource of the folder `fhir/` of the material, one by one; none where the folder is missing. */
export function officialExamples(): readonly Example[] {
  if (!hasMaterial) return []
  const lines = read('fhir/r4-examples/r4-examples.ndjson')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const files = ['fhir/phd-examples', 'fhir/us-core-examples'].flatMap((path) =>
    readdirSync(folder + path).map((file) => ({ name: `${path}/${file}`, text: read(`${path}/${file}`) })),
  )
  return [...files, ...lines.map((text, at) => ({ name: `r4-examples line ${at + 1}`, text }))]
}

/** One file of the material as text, or undefined without it. */
export function materialText(path: string): string | undefined {
  return hasMaterial ? read(path) : undefined
}

function read(path: string): string {
  return readFileSync(folder + path, 'utf8')
}
