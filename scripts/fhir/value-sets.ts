/** Expands the value sets that an element must take its code from: code system to codes. */
import type { Definition } from './package.ts'

interface Concept {
  readonly code: string
  readonly concept?: readonly Concept[]
  readonly property?: readonly { code: string; valueCode?: string; valueBoolean?: boolean }[]
}

interface Include {
  readonly system?: string
  readonly concept?: readonly Concept[]
  readonly filter?: readonly { property: string; op: string; value: string }[]
  readonly valueSet?: readonly string[]
}

/** A system with `null` takes any code that the system's own syntax allows (media types, UCUM, currencies). */
export type Expansion = Record<string, readonly string[] | null>

/** Reads value sets and code systems once; `expand` throws for what it cannot expand faithfully, never guesses. */
export class ValueSets {
  private readonly sets = new Map<string, Definition>()
  private readonly systems = new Map<string, Definition>()

  constructor(definitions: readonly Definition[]) {
    for (const definition of definitions) {
      if (definition.url === undefined) continue
      if (definition.resourceType === 'ValueSet') this.sets.set(definition.url, definition)
      if (definition.resourceType === 'CodeSystem') this.systems.set(definition.url, definition)
    }
  }

  /** Null when the package does not hold the value set: its binding cannot be checked. */
  expand(url: string): Expansion | null {
    const set = this.sets.get(url)
    if (set === undefined) return null
    const compose = set.compose as { include: Include[]; exclude?: Include[] } | undefined
    if (compose === undefined) return null
    const found = new Map<string, Set<string> | null>()
    for (const include of compose.include) this.add(found, include)
    for (const exclude of compose.exclude ?? []) {
      for (const code of this.codesOf(exclude) ?? []) found.get(exclude.system ?? '')?.delete(code)
    }
    return Object.fromEntries([...found].map(([system, codes]) => [system, codes === null ? null : [...codes]]))
  }

  private add(found: Map<string, Set<string> | null>, include: Include): void {
    for (const url of include.valueSet ?? []) {
      for (const [system, codes] of Object.entries(this.expand(url) ?? {})) {
        found.set(system, codes === null ? null : new Set([...(found.get(system) ?? []), ...codes]))
      }
    }
    if (include.system === undefined) return
    const codes = this.codesOf(include)
    const known = found.get(include.system)
    found.set(include.system, codes === null || known === null ? null : new Set([...(known ?? []), ...codes]))
  }

  private codesOf(include: Include): string[] | null {
    if (include.concept !== undefined) return include.concept.map((concept) => concept.code)
    const system = this.systems.get(include.system ?? '')
    if (system === undefined || system.content === 'not-present') return null
    const concepts = flat((system.concept ?? []) as Concept[])
    return concepts
      .filter(isSelectable)
      .filter((concept) => (include.filter ?? []).every((filter) => passes(concept, filter, concepts)))
      .map((concept) => concept.code)
  }
}

function passes(concept: Concept, filter: { property: string; op: string; value: string }, all: Concept[]): boolean {
  if (filter.property === 'concept' && filter.op === 'is-a') return below(concept.code, filter.value, all)
  throw new Error(`The filter ${filter.property} ${filter.op} ${filter.value} is not understood here.`)
}

function below(code: string, root: string, all: readonly Concept[]): boolean {
  const top = all.find((concept) => concept.code === root)
  return top !== undefined && flat([top]).some((concept) => concept.code === code)
}

/** All concepts of a tree. */
function flat(concepts: readonly Concept[]): Concept[] {
  return concepts.flatMap((concept) => [concept, ...flat(concept.concept ?? [])])
}

/** Abstract concepts group others and are no codes to be used. */
function isSelectable(concept: Concept): boolean {
  return !(concept.property ?? []).some(
    (property) => property.code === 'notSelectable' && property.valueBoolean === true,
  )
}
