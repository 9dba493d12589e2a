/** A query as a search: what is known is checked, what is not known is named (or refused, when the client asked for that). */
import { isResourceType } from '../definitions/index.ts'
import { parametersOf } from './parameters.ts'
import { clauseOf } from './parse-clause.ts'
import type { Clause, Include, Search, SearchOptions, SortBy } from './search.ts'
import { notSupported, SearchError } from './search-error.ts'

export type Pair = readonly [name: string, value: string]

/** Of the answer, not of the search; who serves the answer reads them. */
const ofAnswer: ReadonlySet<string> = new Set(['_format', '_pretty', '_type'])
const words = {
  _total: ['none', 'estimate', 'accurate'],
  _summary: ['true', 'text', 'data', 'count', 'false'],
} as const

interface Draft {
  clauses: Clause[]
  sort: SortBy[]
  count: number
  total?: 'none' | 'estimate' | 'accurate'
  includes: Include[]
  revIncludes: Include[]
  elements?: string[]
  summary?: 'true' | 'text' | 'data' | 'count' | 'false'
  applied: Pair[]
  ignored: string[]
}

/**
 * @param pairs of the query, unescaped once (as `URLSearchParams` gives them)
 * @throws SearchError with the issue to answer; it never holds a value that was searched for
 */
export function parseSearch(type: string, pairs: Iterable<Pair>, options: SearchOptions): Search {
  const maxCount = options.maxCount ?? 1_000
  const draft: Draft = {
    ...{ clauses: [], sort: [], includes: [], revIncludes: [], applied: [], ignored: [] },
    count: Math.min(options.defaultCount ?? 20, maxCount),
  }
  for (const [name, value] of pairs) {
    if (value === '' || ofAnswer.has(name)) continue
    const isKnown = control(draft, type, name, value, maxCount) || filter(draft, type, name, value, options)
    if (isKnown) draft.applied.push([name, value])
    else draft.ignored.push(name)
    assertFew(draft)
  }
  if (options.isStrict === true && draft.ignored.length > 0) throw unknown(type, draft.ignored)
  return { type, ...draft }
}

/** Each chain and each include is a search of its own: a form of a megabyte could name tens of thousands. */
const most = { clauses: 100, links: 12, includes: 40 }

/** @throws SearchError `search-too-broad` */
function assertFew({ clauses, includes, revIncludes }: Draft): void {
  const links = clauses.filter(({ kind }) => kind === 'chain' || kind === 'has').length
  if (clauses.length <= most.clauses && links <= most.links && includes.length + revIncludes.length <= most.includes)
    return
  throw new SearchError(
    'search-too-broad',
    `A search has at most ${most.clauses} parameters, ${most.links} chains and ${most.includes} includes. Ask in parts.`,
    'too-costly',
  )
}

/** Names come from the client and may be long or strange: only what a parameter may look like is repeated. */
const unknown = (type: string, names: readonly string[]) =>
  notSupported(
    'search-parameter',
    `${type} is not searched by ${names.map(shown).join(', ')}. Leave it out, or see /metadata.`,
  )

/** A parameter's name, fit to be repeated in an answer. */
export const shown = (name: string): string =>
  /^[\w:.-]{1,64}$/.test(name) ? `\`${name}\`` : 'a parameter of that name'

function filter(draft: Draft, type: string, name: string, value: string, options: SearchOptions): boolean {
  const clause = clauseOf(type, name, value, options)
  if (clause !== null) draft.clauses.push(clause)
  return clause !== null
}

function control(draft: Draft, type: string, name: string, value: string, maxCount: number): boolean {
  const [head = '', modifier] = name.split(':')
  switch (head) {
    case '_count':
      draft.count = countOf(value, maxCount)
      return true
    case '_total':
      draft.total = wordOf('_total', value)
      return true
    case '_summary':
      draft.summary = wordOf('_summary', value)
      return true
    case '_elements':
      draft.elements = value.split(',').map((element) => element.trim())
      return true
    case '_sort':
      draft.sort = value.split(',').map((one) => sortOf(type, one))
      return true
    case '_include':
      draft.includes.push(includeOf(value, modifier))
      return true
    case '_revinclude':
      draft.revIncludes.push(includeOf(value, modifier))
      return true
    default:
      return false
  }
}

function countOf(value: string, maxCount: number): number {
  if (!/^\d{1,9}$/.test(value)) throw new SearchError('search-value', '`_count` is a number from 0 on.')
  return Math.min(Number(value), maxCount)
}

function wordOf<K extends keyof typeof words>(name: K, value: string): (typeof words)[K][number] {
  const word = words[name].find((one) => one === value)
  if (word === undefined) throw new SearchError('search-value', `\`${name}\` is one of ${words[name].join(', ')}.`)
  return word
}

function sortOf(type: string, text: string): SortBy {
  const isDescending = text.startsWith('-')
  const parameter = parametersOf(type).get(text.replace(/^-/, ''))
  if (parameter === undefined || parameter.type === 'composite')
    throw notSupported(
      'search-sort',
      `${type} is not sorted by this. Sort by a search parameter of ${type}, \`-\` before it for the greatest first.`,
    )
  return { parameter, isDescending }
}

/** `Observation:subject`, `Observation:subject:Patient`, `Observation:*`, `*`. */
function includeOf(text: string, modifier: string | undefined): Include {
  if (modifier !== undefined && modifier !== 'iterate' && modifier !== 'recurse')
    throw notSupported('search-include', '`_include` and `_revinclude` have the modifier `:iterate` only.')
  const isIterating = modifier !== undefined
  const [type = '', code = '*', target] = text.split(':')
  if (text === '*') return { type: '*', parameter: '*', isIterating }
  if (!isResourceType(type)) throw includeUnknown()
  const parameter = code === '*' ? '*' : parametersOf(type).get(code)
  if (parameter === undefined || (parameter !== '*' && parameter.type !== 'reference')) throw includeUnknown()
  return { type, parameter, isIterating, ...(target === undefined || target === '' ? {} : { target }) }
}

const includeUnknown = () =>
  notSupported(
    'search-include',
    'An include is `Type:parameter` or `Type:parameter:Target`, with a reference parameter of that type.',
  )
