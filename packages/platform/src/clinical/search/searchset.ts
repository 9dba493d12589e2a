/** The Bundle of a search: matches, what is beside them, what was left out, and the links. */

import type { Search } from '@careloop/fhir'
import { type FhirTree, type Issue, type Pair, parseFhir, summarised, withElements } from '@careloop/fhir'
import type { Match } from './find.ts'

type Shown = Pick<Match, 'stored'>

export interface Searchset {
  readonly base: string
  /** `Observation`, `Patient/1/Observation`; empty = of the whole server. */
  readonly path: string
  readonly applied: readonly Pair[]
  readonly matches: readonly Shown[]
  readonly included: readonly Shown[]
  readonly issues: readonly Issue[]
  readonly total: number | null
  /** Sealed; null = that was the last page. */
  readonly next: string | null
  readonly shape: Pick<Search, 'elements' | 'summary'>
}

export function searchsetOf(set: Searchset): FhirTree {
  const { base, path, total, next } = set
  const address = path === '' ? base : `${base}/${path}`
  const query = new URLSearchParams(set.applied.map(([name, value]): [string, string] => [name, value])).toString()
  const entries = [
    ...set.matches.map((match) => entryOf(base, match, 'match', set.shape)),
    ...set.included.map((match) => entryOf(base, match, 'include', {})),
    ...(set.issues.length === 0 ? [] : [outcomeEntry(set.issues)]),
  ]
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(total === null ? {} : { total }),
    link: [
      { relation: 'self', url: query === '' ? address : `${address}?${query}` },
      // No PHI stands in it: the query lies sealed in the token.
      ...(next === null ? [] : [{ relation: 'next', url: `${address}?_page=${next}` }]),
    ],
    ...(entries.length === 0 ? {} : { entry: entries }),
  } as FhirTree
}

function entryOf(
  base: string,
  { stored }: Shown,
  mode: 'match' | 'include',
  { elements, summary }: Searchset['shape'],
): FhirTree[string] {
  const tree = parseFhir(stored.text)
  const shaped =
    elements !== undefined
      ? withElements(tree, elements)
      : summary === undefined || summary === 'count'
        ? tree
        : summarised(tree, summary)
  return { fullUrl: `${base}/${stored.type}/${stored.id}`, resource: shaped, search: { mode } }
}

const outcomeEntry = (issues: readonly Issue[]): FhirTree[string] => ({
  resource: {
    resourceType: 'OperationOutcome',
    issue: issues.map(({ severity, code, rule, diagnostics }) => ({
      ...{ severity, code, diagnostics },
      details: { text: rule },
    })),
  },
  search: { mode: 'outcome' },
})
