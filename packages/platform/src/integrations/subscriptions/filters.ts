/** Filters of subscriptions are searches of one type, decided on the resource itself: also quantities, whatever their unit. */
import { type Clause, matches, parseSearch, type Resource, SearchError } from '@careloop/fhir'
import type { Stored } from '../../clinical/index.ts'
import { integrationsFailure } from '../errors.ts'
import type { Filter } from './read-subscription.ts'

/** Of the answer to a search: they narrow nothing. */
const narrowsNothing = /^_(sort|count|total|summary|elements|include|revinclude|format|pretty)\b/

export interface Filtering {
  meets(stored: Stored, filter: Filter): boolean
  /** @throws Failure `subscription-invalid`: what is asked by cannot be asked by here */
  assertFilter(filter: Filter): void
}

/** @param base ours: absolute references below it are our own */
export function makeFiltering(now: () => number, base: string): Filtering {
  const parsed = new WeakMap<Filter, readonly Clause[]>()
  const opened = new WeakMap<Stored, Resource>()
  const clausesOf = (filter: Filter): readonly Clause[] => {
    const known = parsed.get(filter)
    if (known !== undefined) return known
    const { clauses } = parseSearch(filter.type, filter.pairs, { now: now(), isStrict: true, base })
    parsed.set(filter, clauses)
    return clauses
  }
  return {
    meets(stored, filter) {
      const resource = opened.get(stored) ?? (JSON.parse(stored.text) as Resource)
      opened.set(stored, resource)
      return matches(resource, clausesOf(filter), { base })
    },
    assertFilter(filter) {
      const [odd] = filter.pairs.find(([name]) => narrowsNothing.test(name)) ?? []
      const clauses = odd === undefined ? asked(() => clausesOf(filter)) : []
      if (odd === undefined && clauses.every(({ kind }) => kind === 'parameter' || kind === 'missing')) return
      throw unfit('A filter asks by parameters of the resource itself: no chains, no _has, nothing of the answer.')
    },
  }
}

function asked<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof SearchError) throw unfit(error.issue.diagnostics)
    throw error
  }
}

const unfit = (says: string) =>
  integrationsFailure('subscription-invalid', says, { pointer: 'Subscription.criteria.extension' })
