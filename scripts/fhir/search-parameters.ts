/** Trims SearchParameters and the patient compartment to what search reads. */
import type { Definition } from './package.ts'

interface SearchRow {
  readonly code: string
  readonly type: string
  readonly base: readonly string[]
  readonly expression: string
  readonly target?: readonly string[]
  /** Of a composite: the parameter that each part is, and its path from `expression`. */
  readonly parts?: readonly { code: string; type: string; expression: string }[]
}

interface Source {
  readonly url: string
  readonly code: string
  readonly type: string
  readonly base: readonly string[]
  readonly expression?: string
  readonly target?: readonly string[]
  readonly component?: readonly { definition: string; expression: string }[]
}

/** Parameters with an expression; those without one (`_text`, `_content`, `near`, `_query`) are no FHIRPath. */
export function trimSearchParameters(definitions: readonly Definition[]): readonly SearchRow[] {
  const sources = definitions as unknown as readonly Source[]
  const byUrl = new Map(sources.map((source) => [source.url, source]))
  return sources
    .filter((source) => source.expression !== undefined)
    .map((source) => ({
      code: source.code,
      type: source.type,
      base: source.base,
      expression: source.expression!,
      ...(source.target === undefined ? {} : { target: source.target }),
      ...(source.type === 'composite' ? { parts: partsOf(source, byUrl) } : {}),
    }))
    .sort((a, b) => (`${a.base[0]} ${a.code}` < `${b.base[0]} ${b.code}` ? -1 : 1))
}

function partsOf(source: Source, byUrl: ReadonlyMap<string, Source>): SearchRow['parts'] & {} {
  return (source.component ?? []).map(({ definition, expression }) => {
    const part = byUrl.get(definition)
    if (part === undefined) throw new Error(`${source.code}: no search parameter ${definition}.`)
    return { code: part.code, type: part.type, expression }
  })
}

/** Type of resource to the parameters by which it belongs to a patient; types of no patient are left out. */
export function trimCompartment(definition: Definition): Readonly<Record<string, readonly string[]>> {
  const resources = definition.resource as readonly { code: string; param?: readonly string[] }[]
  return Object.fromEntries(
    resources
      .filter((resource) => (resource.param ?? []).length > 0)
      .map((resource) => [resource.code, resource.param!]),
  )
}
