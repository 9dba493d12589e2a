/** A request of HTTP as our handlers hold it. */
import type { Pair } from '@careloop/fhir'
import { actorOf, type Principal, type Replied, type ReplyOptions } from '../../identity/index.ts'
import type { By } from '../../subjects/index.ts'
import type { ClinicalParts } from '../parts.ts'

export const basePath = '/fhir/R4'

export interface FhirContext {
  readonly by: By
  /** Of the query, unescaped once. PHI: never in logs. */
  readonly pairs: readonly Pair[]
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly base: string
  send(status: number, mediaType: string, bytes: Uint8Array | string, options?: ReplyOptions): Replied
}

/** What of a route's context we take. */
export interface Asked {
  readonly principal: Principal | null
  readonly tenant: string | null
  readonly requestId: string
  readonly headers: FhirContext['headers']
  readonly query: unknown
  readonly send: (status: never, mediaType: string, bytes: Uint8Array | string, options?: ReplyOptions) => Replied
}

export function contextOf(parts: Pick<ClinicalParts, 'base' | 'isOverTls'>, asked: Asked): FhirContext {
  const { principal, requestId, headers } = asked
  return {
    by:
      principal === null
        ? { tenant: '', actor: 'anonymous', requestId }
        : { tenant: principal.tenant, actor: actorOf(principal), who: principal, requestId },
    pairs: pairsOf(asked.query),
    headers,
    base: baseOf(parts, headers),
    send: asked.send as FhirContext['send'],
  }
}

/** Where the client reached us. */
export function baseOf(
  { base, isOverTls }: Pick<ClinicalParts, 'base' | 'isOverTls'>,
  headers: FhirContext['headers'],
): string {
  if (base !== undefined) return base
  const host = /^[A-Za-z0-9.:[\]-]{1,255}$/.exec(String(headers.host ?? ''))?.[0] ?? 'localhost'
  return `${isOverTls === true ? 'https' : 'http'}://${host}${basePath}`
}

/** A parameter that stands several times comes as a list. */
export const pairsOf = (query: unknown): Pair[] =>
  Object.entries((query ?? {}) as Record<string, string | string[]>).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((each) => [name, each] as const) : [[name, String(value)] as const],
  )

/** Of a query or form, also with its type and question mark before it (`Patient?identifier=...`). */
export const pairsIn = (text: string): Pair[] =>
  [...new URLSearchParams(text.replace(/^[A-Za-z]{0,64}\?/, ''))].map(([name, value]) => [name, value])
