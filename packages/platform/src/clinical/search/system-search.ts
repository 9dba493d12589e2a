/** `GET [base]?_type=Observation,Flag&...`: one type after the other, each by its own right; what all of them know is searched by. */
import { type Clause, type FhirTree, type Pair, parseSearch, type Search, SearchError } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import { audited } from '../../subjects/index.ts'
import type { SearchAsked } from '../rest/searching.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { isServed, servedTypes } from '../types.ts'
import type { Position } from './candidates.ts'
import { find, type Looking, type Match } from './find.ts'
import { lookedUp } from './looked-up.ts'
import { lookingBy, openEyes, typesOf } from './looking.ts'
import { openPage, sealPage } from './page-token.ts'
import { searchsetOf } from './searchset.ts'

const maxWalked = 20_000

interface Place {
  readonly type: string
  readonly after: Position | null
}

export async function searchSystem(
  room: ClinicalRoom,
  asked: Omit<SearchAsked, 'type' | 'compartment'>,
): Promise<FhirTree> {
  const { engine } = room.ground
  const { by, base } = asked
  const token = asked.pairs.find(([name]) => name === '_page')?.[1]
  const page = token === undefined ? null : await openPage(engine, by, token)
  if (page !== null && (page.type !== null || page.compartment !== undefined)) throw unknownPage()
  const pairs = page?.pairs ?? asked.pairs
  const searches = searchesOf(pairs, { now: engine.clock.now(), base })
  const eyes = await openEyes(
    room,
    by,
    searches.flatMap((search) => [...typesOf(search)]),
  )
  return engine.db.asTenant(by.tenant, async (tx) => {
    const looking = lookingBy(room, tx, { base, eyes })
    const { items, end } = await walk(looking, searches, (page?.after as Place | undefined) ?? null)
    await auditSystem(tx, by, items)
    const next = end === null ? null : await sealPage(engine, by, { type: null, pairs, after: end })
    return searchsetOf({
      ...{ base, path: '', applied: pairs, matches: items, included: [], issues: [], total: null, next },
      shape: searches[0] ?? {},
    })
  })
}

const unknownPage = () =>
  new SearchError('search-page-unknown', 'This page is of another search. Begin the search anew.')

const auditSystem = (tx: TenantTx, by: SearchAsked['by'], items: readonly Match[]): Promise<void> =>
  audited(tx, by, 'search', 'clinical', {
    ...{ id: 'search', subjects: [...new Set(items.flatMap(({ stored: { subject } }) => subject ?? []))] },
  })

/** @throws SearchError for a type that is not kept, and for what one of the types does not know: a part of it would be no answer */
function searchesOf(pairs: readonly Pair[], options: { now: number; base: string }): Search[] {
  const named = pairs.filter(([name]) => name === '_type').flatMap(([, value]) => value.split(','))
  if (named.some((type) => !isServed(type)))
    throw new SearchError(
      'search-type',
      '`_type` names a type that this server does not keep: see metadata.',
      'not-supported',
    )
  const types = named.length === 0 ? Object.keys(servedTypes) : [...new Set(named)]
  const searches = types.map((type) => parseSearch(type, pairs, { ...options, isStrict: true }))
  const isPlain = searches.every(
    ({ sort, includes, revIncludes }) => sort.length + includes.length + revIncludes.length === 0,
  )
  if (!isPlain)
    throw new SearchError(
      'search-type',
      'A search over several types has no order and includes nothing: search type by type.',
      'not-supported',
    )
  return searches
}

async function walk(
  looking: Looking,
  searches: readonly Search[],
  start: Place | null,
): Promise<{ items: Match[]; end: Place | null }> {
  const items: Match[] = []
  const from = start === null ? 0 : searches.findIndex(({ type }) => type === start.type)
  for (const search of searches.slice(Math.max(0, from))) {
    if (looking.eyes(search.type) === null) continue
    if (items.length >= search.count) return { items, end: { type: search.type, after: null } }
    const wanted: Pick<Search, 'type' | 'sort'> & { clauses: readonly Clause[] } = await lookedUp(looking, search)
    const after = search.type === start?.type ? start.after : null
    const found = await find(looking, wanted, { limit: search.count - items.length, maxWalked, after })
    items.push(...found.items)
    if (found.end !== null) return { items, end: { type: search.type, after: found.end } }
  }
  return { items, end: null }
}
