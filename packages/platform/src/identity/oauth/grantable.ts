/**
 * What of the scopes that an app asks for it can be granted: no more than it was registered for, no more than fits who asks. Narrowed
 * rather than refused, as SMART wants; the answer says what is left. Pure.
 */
import type { SmartScope } from '../principal.ts'
import { parseScope, scopeText } from './scopes.ts'

/** Scopes that are of no resource. */
export const plainScopes = ['openid', 'fhirUser', 'launch', 'launch/patient', 'offline_access'] as const
type PlainScope = (typeof plainScopes)[number]
const isPlain = (text: string): text is PlainScope => (plainScopes as readonly string[]).includes(text)

/** Whether an administrator can register it. */
export const isScope = (text: string): boolean => isPlain(text) || parseScope(text) !== null

/** `person`: a patient or caregiver, who opens their own records only. `system`: an app by itself. */
export type Asker = 'staff' | 'person' | 'system'

const contextsOf: Readonly<Record<Asker, readonly SmartScope['context'][]>> = {
  staff: ['patient', 'user'],
  person: ['patient'],
  system: ['system'],
}

/**
 * @param asked as the app wrote them, blanks between
 * @param allowed what it was registered for
 * @returns in the order asked, each once: as it was written where nothing is taken off it, else as version 2 writes what is left
 */
export function grantable(asked: string, allowed: readonly string[], who: Asker): string[] {
  const granted = asked
    .split(' ')
    .filter((text) => text !== '')
    .flatMap((text) => {
      if (isPlain(text)) return who !== 'system' && allowed.includes(text) ? [text] : []
      const wanted = parseScope(text)
      if (wanted === null || !contextsOf[who].includes(wanted.context)) return []
      return narrowed(text, wanted, allowed)
    })
  return [...new Set(granted)]
}

function narrowed(text: string, wanted: SmartScope, allowed: readonly string[]): string[] {
  const parts = allowed.flatMap((each) => {
    const of = parseScope(each)
    return of === null ? [] : (common(of, wanted) ?? [])
  })
  const whole = scopeText(wanted)
  return parts.some((part) => scopeText(part) === whole) ? [text] : parts.map(scopeText)
}

/** What both let through; null: nothing. */
export function common(a: SmartScope, b: SmartScope): SmartScope | null {
  if (a.context !== b.context) return null
  if (a.type !== '*' && b.type !== '*' && a.type !== b.type) return null
  const access = new Set([...b.access].filter((letter) => a.access.has(letter)))
  if (access.size === 0) return null
  const filters = [...b.filters, ...a.filters.filter(([n, v]) => !b.filters.some(([m, w]) => m === n && w === v))]
  return { context: b.context, type: a.type === '*' ? b.type : a.type, access, filters }
}

/** What a refresh asks for, where each is among those given or narrower than one of them; null: one is not. */
export function lessOf(asked: string, given: readonly string[]): string[] | null {
  const wanted = asked.split(' ').filter((text) => text !== '')
  const isLess = (text: string) => {
    const scope = parseScope(text)
    return scope !== null && given.some((each) => isWithin(scope, parseScope(each)))
  }
  return wanted.length > 0 && wanted.every((text) => given.includes(text) || isLess(text)) ? wanted : null
}

const isWithin = (scope: SmartScope, of: SmartScope | null): boolean => {
  const both = of === null ? null : common(of, scope)
  return both !== null && scopeText(both) === scopeText(scope)
}

/** Whether a patient has to be chosen for them. */
export const wantsPatient = (scopes: readonly string[]): boolean =>
  scopes.some((text) => text === 'launch/patient' || text === 'launch' || parseScope(text)?.context === 'patient')
