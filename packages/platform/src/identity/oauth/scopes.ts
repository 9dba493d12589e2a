/**
 * SMART scopes (App Launch 2.2): `patient/Observation.rs?category=...|vital-signs`, and those of version 1
 * (`patient/Observation.read`, `.write`, `.*`). Parsed into one shape, asked by `admits`. Pure.
 */
import type { AppGrant, SmartAccess, SmartScope } from '../principal.ts'

/** Alternatives of one grant for one type: what any of them lets through is let through. */
export interface Filters {
  /** Subject id: only what is in this patient's compartment. Absent: whatever the person or program may see. */
  readonly patient?: string
  /** Search parameters that the resource must match, all of them; empty: any. */
  readonly params: readonly (readonly [name: string, value: string])[]
}

/** In the order in which the specification wants them written. */
const accesses: readonly SmartAccess[] = ['c', 'r', 'u', 'd', 's']

const version1: Readonly<Record<string, readonly SmartAccess[]>> = {
  read: ['r', 's'],
  write: ['c', 'u', 'd'],
  '*': accesses,
}

const shape = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{1,63})\.(read|write|\*|c?r?u?d?s?)(?:\?(.+))?$/

/** Null: no scope of a resource (`openid`, `launch`), or one that is misspelt: the letters keep their order, names their case. */
export function parseScope(text: string): SmartScope | null {
  const found = shape.exec(text)
  if (found === null) return null
  const [, context, type, access, query] = found as unknown as [string, SmartScope['context'], string, string, string?]
  const isVersion1 = access in version1
  // Version 1 knows no filters, and an empty list of accesses opens nothing: neither is a scope.
  if (access === '' || (isVersion1 && query !== undefined)) return null
  const filters = query === undefined ? [] : parseFilters(query)
  if (filters === null) return null
  return { context, type, access: new Set(version1[access] ?? ([...access] as SmartAccess[])), filters }
}

/** Null where a pair has no name or no value. Control parameters (`_count`) and chains narrow nothing, so they are none. */
function parseFilters(query: string): [string, string][] | null {
  const pairs: [string, string][] = []
  for (const pair of query.split('&')) {
    const at = pair.indexOf('=')
    const name = decoded(pair.slice(0, Math.max(0, at)))
    const value = decoded(pair.slice(at + 1))
    if (name === null || !value || !/^[a-z_][A-Za-z0-9_:-]{0,63}$/.test(name)) return null
    pairs.push([name, value])
  }
  return pairs
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return null
  }
}

/** As version 2 writes it. */
export function scopeText({ context, type, access, filters }: SmartScope): string {
  const letters = accesses.filter((letter) => access.has(letter)).join('')
  const query = filters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
  return `${context}/${type}.${letters}${query === '' ? '' : `?${query}`}`
}

/**
 * What of this type the app may so treat: alternatives, of which one without conditions stands alone; null: nothing at all.
 * A scope of a patient opens nothing where no patient was chosen.
 */
export function admits(grant: AppGrant, type: string, access: SmartAccess): readonly Filters[] | null {
  const alternatives: Filters[] = []
  for (const scope of grant.scopes) {
    if (!scope.access.has(access) || (scope.type !== '*' && scope.type !== type)) continue
    if (scope.context !== 'patient') {
      if (scope.filters.length === 0) return [{ params: [] }]
      alternatives.push({ params: scope.filters })
    } else if (grant.patient !== undefined) alternatives.push({ patient: grant.patient, params: scope.filters })
  }
  return alternatives.length === 0 ? null : alternatives
}
