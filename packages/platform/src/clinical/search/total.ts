/** How many a search finds: counted one by one as the asker would see them, up to a bound, and said only when it is true. */
import type { Search } from '@careloop/fhir'
import { find, type Looking, newestFirst } from './find.ts'

/** Bodies opened for a number that was asked for: about a second. */
const maxCounted = 20_000
const maxEstimated = 2_000

/** Null: more than is counted; the page says so. */
export async function totalOf(looking: Looking, search: Search): Promise<number | null> {
  const limit = search.total === 'estimate' ? maxEstimated : maxCounted
  const { items, end } = await find(looking, search, { limit, maxWalked: limit * 2, order: newestFirst })
  return end === null ? items.length : null
}
