/**
 * The pages as one more client of the FHIR interface: what they show of a record is what any EHR reads. Whom it is about stands in
 * bodies (`POST _search`), never in a URL.
 */
import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes'
import { ApiError } from './client.ts'

export const fhirBase = '/fhir/R4'

export interface FhirAsked {
  readonly method?: 'GET' | 'POST'
  /** Search parameters, sent as a form. */
  readonly form?: URLSearchParams
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** An answer as it came, for whoever looks at the interface itself. */
export interface FhirAnswer {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [string, string])[]
  readonly text: string
  /** From asking to the last byte, ms. */
  readonly ms: number
}

/** @param path below the base, e.g. `/metadata` @throws ApiError when nobody answered */
export async function askFhir(path: string, asked: FhirAsked = {}): Promise<FhirAnswer> {
  const { method = asked.form === undefined ? 'GET' : 'POST', form, body = form, headers, signal } = asked
  const from = performance.now()
  try {
    const response = await fetch(`${fhirBase}${path}`, {
      ...{ method, credentials: 'same-origin', cache: 'no-store' },
      headers: { accept: 'application/fhir+json', ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    })
    const text = await response.text()
    const { status, statusText } = response
    return { status, statusText, headers: [...response.headers], text, ms: performance.now() - from }
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new ApiError('Careloop does not answer. Check the connection and try again.', 0, 'no-answer', '', undefined)
  }
}

/** @throws ApiError */
export async function readFhir<R extends Resource>(path: string, asked: FhirAsked = {}): Promise<R> {
  const { status, text } = await askFhir(path, asked)
  const body = bodyOf(text)
  if (status >= 200 && status < 300 && body !== undefined) return body as R
  throw refusalOf(status, body)
}

export interface Found<R extends Resource> {
  readonly resources: readonly R[]
  /** By `Type/id`: what `_include` asked for. */
  readonly included: ReadonlyMap<string, Resource>
  /** False: there is more than was asked for. */
  readonly isWhole: boolean
}

/** All that fits, page after page, up to `most`. @throws ApiError */
export async function searchFhir<R extends Resource>(
  type: R['resourceType'],
  wanted: Readonly<Record<string, string | readonly string[]>>,
  { signal, most = 1_000 }: { readonly signal?: AbortSignal; readonly most?: number } = {},
): Promise<Found<R>> {
  const form = new URLSearchParams()
  for (const [name, values] of Object.entries({ _count: String(Math.min(most, 500)), ...wanted }))
    for (const value of [values].flat()) form.append(name, value)
  const asked = signal === undefined ? {} : { signal }
  let page = await readFhir<Bundle>(`/${type}/_search`, { ...asked, form })
  const resources = matchesIn<R>(page)
  const included = new Map(includedIn(page))
  for (let next = nextOf(page); next !== undefined && resources.length < most; next = nextOf(page)) {
    page = await readFhir<Bundle>(next, asked)
    resources.push(...matchesIn<R>(page))
    for (const [reference, resource] of includedIn(page)) included.set(reference, resource)
  }
  const isWhole = nextOf(page) === undefined && resources.length <= most
  return { resources: resources.slice(0, most), included, isWhole }
}

const includedIn = ({ entry = [] }: Bundle): (readonly [string, Resource])[] =>
  entry.flatMap(({ search, resource }) =>
    search?.mode === 'include' && resource !== undefined
      ? [[`${resource.resourceType}/${resource.id}`, resource] as const]
      : [],
  )

const matchesIn = <R extends Resource>({ entry = [] }: Bundle): R[] =>
  entry.flatMap(({ search, resource }) =>
    resource === undefined || (search?.mode !== undefined && search.mode !== 'match') ? [] : [resource as R],
  )

/** Below the base: the server's own name may be another than the one that this page was opened by. */
function nextOf({ link = [] }: Bundle): string | undefined {
  const next = link.find(({ relation }) => relation === 'next')?.url
  if (next === undefined) return undefined
  const { pathname, search } = new URL(next, location.origin)
  const at = pathname.indexOf(`${fhirBase}/`)
  return at < 0 ? undefined : pathname.slice(at + fhirBase.length) + search
}

function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusalOf(status: number, body: unknown): ApiError {
  const issue = (body as OperationOutcome | undefined)?.issue?.[0]
  const words = issue?.diagnostics ?? 'Careloop could not answer. Try again; if it stays, tell an administrator.'
  const code = issue?.details?.coding?.[0]?.code ?? issue?.code ?? 'unknown'
  return new ApiError(words, status, code, issue?.expression?.[0] ?? '', body)
}
