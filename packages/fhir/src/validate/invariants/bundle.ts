/** Rules of Bundle, as closures. */
import { has, type Loose, list, loose } from '../invariant.ts'
import type { Closure } from './datatypes.ts'

const WITH_REQUEST: ReadonlySet<unknown> = new Set(['batch', 'transaction', 'history'])
const WITH_RESPONSE: ReadonlySet<unknown> = new Set(['batch-response', 'transaction-response', 'history'])

export const bundleClosures: Readonly<Record<string, Closure>> = {
  'bdl-1': (it) => !has(it, 'total') || it.type === 'searchset' || it.type === 'history',
  'bdl-2': (it) => it.type === 'searchset' || entries(it).every((entry) => !has(entry, 'search')),
  'bdl-3': (it) =>
    !has(it, 'type') || entries(it).every((entry) => has(entry, 'request') === WITH_REQUEST.has(it.type)),
  'bdl-4': (it) =>
    !has(it, 'type') || entries(it).every((entry) => has(entry, 'response') === WITH_RESPONSE.has(it.type)),
  'bdl-5': (it) => has(it, 'resource') || has(it, 'request') || has(it, 'response'),
  'bdl-7': (it) => it.type === 'history' || hasDistinctUrls(it),
  'bdl-8': (it) => typeof it.fullUrl !== 'string' || !it.fullUrl.includes('/_history/'),
  'bdl-9': (it) =>
    it.type !== 'document' || (has(loose(it.identifier), 'system') && has(loose(it.identifier), 'value')),
  'bdl-10': (it) => it.type !== 'document' || typeof it.timestamp === 'string',
  'bdl-11': (it) => it.type !== 'document' || typeOfFirst(it) === 'Composition',
  'bdl-12': (it) => it.type !== 'message' || typeOfFirst(it) === 'MessageHeader',
}

function entries(it: Loose): readonly Loose[] {
  return list(it.entry).map(loose)
}

function typeOfFirst(it: Loose): unknown {
  return loose(loose(list(it.entry)[0]).resource).resourceType
}

/** The same resource may stand twice in two versions. */
function hasDistinctUrls(it: Loose): boolean {
  const seen = new Set<string>()
  for (const entry of entries(it)) {
    if (entry.fullUrl === undefined) continue
    const key = `${entry.fullUrl}${loose(loose(entry.resource).meta).versionId ?? ''}`
    if (seen.has(key)) return false
    seen.add(key)
  }
  return true
}
