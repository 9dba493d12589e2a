/** Chains and `_has` turned into what they lead to, before the search itself: each link is a search of its own, in the asker's sight. */
import {
  type AmongClause,
  type ChainClause,
  type Clause,
  type HasClause,
  type Resource,
  referencesOf,
  type Search,
  SearchError,
  type SearchParameter,
} from '@careloop/fhir'
import { find, type Looking } from './find.ts'

/** More than this a chain does not lead through: narrow it, or search the other way round. */
const maxLinks = 10_000
/** Of a `_has`: beyond this each resource is asked whether something points to it. */
const maxPointing = 1_000
const maxWalked = 50_000

/** @throws SearchError `search-too-broad` */
export async function lookedUp(looking: Looking, search: Search): Promise<Search> {
  const clauses: Clause[] = []
  for (const clause of search.clauses) clauses.push(await resolved(looking, search.type, clause))
  return { ...search, clauses }
}

async function resolved(looking: Looking, type: string, clause: Clause): Promise<Clause> {
  if (clause.kind === 'chain') return chained(looking, clause)
  if (clause.kind === 'has') return pointedAt(looking, type, clause)
  return clause
}

async function chained(looking: Looking, { parameter, targets }: ChainClause): Promise<AmongClause> {
  const references = new Set<string>()
  for (const { type, clause } of targets) {
    const clauses = [await resolved(looking, type, clause)]
    const { items, end } = await find(looking, { type, clauses, sort: [] }, { limit: maxLinks, maxWalked })
    if (end !== null) throw tooBroad()
    for (const { resource } of items) references.add(`${type}/${resource.id}`)
  }
  return { kind: 'among', parameter, references }
}

async function pointedAt(looking: Looking, type: string, has: HasClause): Promise<Clause> {
  const clause = await resolved(looking, has.type, has.clause)
  const question = { type: has.type, clauses: [clause], sort: [] }
  const { items, end } = await find(looking, question, { limit: maxPointing, maxWalked: maxPointing * 2 })
  if (end !== null) return { ...has, clause }
  const base = looking.base
  const references = items
    .flatMap(({ resource }) => referencesOf(resource, has.parameter, base))
    .filter((reference) => reference.startsWith(`${type}/`))
  return { kind: 'among', references: new Set(references) }
}

/** Asked of one resource: whether anything that the asker sees and that fulfils the clause points to it. */
export async function isPointedAt(looking: Looking, resource: Resource, has: HasClause): Promise<boolean> {
  const pointing = among(has.parameter, [`${resource.resourceType}/${resource.id}`])
  const question = { type: has.type, clauses: [pointing, has.clause], sort: [] }
  const { items } = await find(looking, question, { limit: 1, maxWalked })
  return items.length > 0
}

export const among = (parameter: SearchParameter, references: readonly string[]): AmongClause => ({
  kind: 'among',
  parameter,
  references: new Set(references),
})

const tooBroad = () =>
  new SearchError(
    'search-too-broad',
    'A chain of this search leads through too much. Narrow it, or search from its other end.',
    'too-costly',
  )
