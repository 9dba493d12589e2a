/**
 * `node scripts/fhir-definitions.ts [--from <folder>]`: writes packages/fhir/src/definitions/generated anew from the
 * definitions of FHIR R4 (HL7, CC0), which it fetches at a pinned version, or takes from a folder that holds them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { nameResources, trimElements } from './fhir/elements.ts'
import { type Definition, readBundle, withDefinitions } from './fhir/package.ts'
import { trimCompartment, trimSearchParameters } from './fhir/search-parameters.ts'
import { type Expansion, ValueSets } from './fhir/value-sets.ts'
import { ROOT } from './source/repository.ts'

const OUT = join(ROOT, 'packages/fhir/src/definitions/generated')

const { values } = parseArgs({ options: { from: { type: 'string' } } })
withDefinitions(values.from, (folder) => {
  mkdirSync(OUT, { recursive: true })
  const types = [...readBundle(folder, 'profiles-types.json'), ...readBundle(folder, 'profiles-resources.json')]
  const bases = types.filter(isBase)
  nameResources(bases)
  const { types: elements, rules } = trimElements(bases)
  const sets = new ValueSets(
    ['valuesets.json', 'v3-codesystems.json', 'v2-tables.json'].flatMap((file) => readBundle(folder, file)),
  )
  write('elements', elements)
  write('rules', rules)
  write('value-sets', expansions(elements, sets))
  write('search-parameters', trimSearchParameters(readBundle(folder, 'search-parameters.json')))
  write('patient-compartment', trimCompartment(readOne(folder, 'compartmentdefinition-patient.json')))
})

/** Base types of FHIR R4; SubscriptionStatus is R4B, brought along by the package. */
function isBase(definition: Definition): boolean {
  return (
    definition.resourceType === 'StructureDefinition' &&
    definition.derivation !== 'constraint' &&
    definition.kind !== 'logical' &&
    definition.type !== 'SubscriptionStatus'
  )
}

function readOne(folder: string, file: string): Definition {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Definition
}

function expansions(types: ReturnType<typeof trimElements>['types'], sets: ValueSets): Record<string, Expansion> {
  const urls = new Set<string>()
  for (const type of Object.values(types)) for (const row of type.elements) if (row[5]) urls.add(row[5])
  const found: Record<string, Expansion> = {}
  for (const url of [...urls].sort()) {
    const expansion = sets.expand(url)
    if (expansion === null) console.warn(`${url}: not in the package, so its binding is not checked.`)
    else found[url] = expansion
  }
  return found
}

/**
 * One entry a line, so that a change can be read. JSON inside a text: the package does no input or output, and a compiler
 * that works out the type of 850 kB of JSON takes its time.
 */
function write(name: string, value: object): void {
  const isList = Array.isArray(value)
  const lines = isList
    ? value.map((entry) => JSON.stringify(entry))
    : Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}:${JSON.stringify(entry)}`)
  const json = `${isList ? '[' : '{'}\n${lines.join(',\n')}\n${isList ? ']' : '}'}`
  const raw = json.replaceAll('`', '\\u0060').replaceAll('${', '\\u0024{')
  const text = `/** Written by scripts/fhir-definitions.ts: change it there. */\nexport default String.raw\`${raw}\`\n`
  writeFileSync(join(OUT, `${name}.generated.ts`), text)
  console.log(`${name} ${Math.round(text.length / 1024)} kB`)
}
