/** Orders in which nothing lies: all that fits is opened and sorted. Bounded, and refused beyond, never cut off in silence. */
import { type Search, SearchError, type SortValue, sortValueOf } from '@careloop/fhir'
import { type Found, find, type Looking, type Match, newestFirst } from './find.ts'

const maxSorted = 5_000
const maxWalked = 50_000

/** Where a page of a sorted search ended: its values, then the row. */
export interface SortedPosition {
  readonly values: readonly SortValue[]
  readonly seq: string
}

export interface SortedPage {
  readonly items: readonly Match[]
  readonly end: SortedPosition | null
  /** Of all pages. */
  readonly total: number
}

/** @throws SearchError `search-sort-too-large` */
export async function sortedPage(
  looking: Looking,
  search: Search,
  limit: number,
  after: SortedPosition | null,
): Promise<SortedPage> {
  const found: Found = await find(looking, search, { limit: maxSorted, maxWalked, order: newestFirst })
  if (found.end !== null)
    throw new SearchError(
      'search-sort-too-large',
      'Too much fits to be sorted by this. Narrow the search, or sort by date or _lastUpdated.',
      'too-costly',
    )
  const rows = found.items.map((match) => ({ match, position: positionOf(match, search) }))
  rows.sort((a, b) => compared(a.position, b.position, search))
  const rest = after === null ? rows : rows.filter(({ position }) => compared(position, after, search) > 0)
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(({ match }) => match),
    end: rest.length > page.length && last !== undefined ? last.position : null,
    total: rows.length,
  }
}

const positionOf = ({ resource, position: { seq } }: Match, { sort }: Search): SortedPosition => ({
  values: sort.map((by) => sortValueOf(resource, by)),
  seq,
})

function compared(a: SortedPosition, b: SortedPosition, { sort }: Search): number {
  for (const [index, { isDescending }] of sort.entries()) {
    const [one, other] = [a.values[index] ?? null, b.values[index] ?? null]
    if (one === other) continue
    // What says nothing comes last, whichever way.
    if (one === null || other === null) return one === null ? 1 : -1
    return one < other === isDescending ? 1 : -1
  }
  return Number(a.seq) - Number(b.seq)
}
