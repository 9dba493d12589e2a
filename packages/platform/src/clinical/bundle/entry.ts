/** Entries of a batch or transaction as interactions. */
import { type FhirObject, type FhirTree, type FhirValue, isObject, parseJson } from '@careloop/fhir'
import { clinicalFailure } from '../errors.ts'
import { pairsIn } from '../rest/context.ts'
import type { Conditions, FhirMethod, FhirRequest } from '../rest/request.ts'

export interface BundleEntry extends Pick<FhirRequest, 'method' | 'path' | 'query' | 'conditions' | 'tree' | 'patch'> {
  /** Place in the Bundle, from 0. */
  readonly at: number
  readonly fullUrl?: string
}

const methods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])

/** @throws Failure `bundle-wrong` with the entry's expression */
export function entriesOf(bundle: FhirTree, base: string): BundleEntry[] {
  const { entry } = bundle
  if (entry === undefined) return []
  if (!Array.isArray(entry)) throw wrong('entry is a list.', 'Bundle.entry')
  const entries = entry.map((each: FhirValue, at) => {
    const where = `Bundle.entry[${at}]`
    if (!isObject(each) || !isObject(each.request)) throw wrong('An entry says by request what is asked.', where)
    return entryOf(each, each.request, { at, where, base })
  })
  assertFewQuestions(entries)
  return entries
}

/** A request is one for whoever counts requests: what it reads is bounded, what it writes by the size of its body. */
const maxQuestions = 100
const maxReads = 2_000

/** @throws Failure `bundle-wrong` */
function assertFewQuestions(entries: readonly BundleEntry[]): void {
  const reads = entries.filter(({ method, path }) => method === 'GET' || path.some((part) => /^[$_]/.test(part)))
  const questions = reads.filter(({ method, path }) => method !== 'GET' || path.length !== 2 || /^[$_]/.test(path[1]!))
  if (questions.length > maxQuestions || reads.length > maxReads)
    throw wrong(
      `A Bundle asks at most ${maxQuestions} searches or histories and ${maxReads} reads. Send the rest in another.`,
      'Bundle.entry',
    )
}

function entryOf(
  entry: FhirObject,
  request: FhirObject,
  { at, where, base }: { at: number; where: string; base: string },
): BundleEntry {
  const { method, url } = request
  if (typeof method !== 'string' || !methods.has(method))
    throw wrong('The method is GET, POST, PUT, PATCH or DELETE.', `${where}.request.method`)
  if (typeof url !== 'string') throw wrong('The url says which resource is meant.', `${where}.request.url`)
  const [address, query] = split(url.startsWith(`${base}/`) ? url.slice(base.length + 1) : url)
  if (/^[a-z]+:/.test(address)) throw wrong('The url is of another server.', `${where}.request.url`)
  const body = bodyOf(entry.resource, method as FhirMethod, where)
  return {
    ...{ at, method: method as FhirMethod, path: address.split('/').filter((part) => part !== ''), ...body },
    ...{ query: pairsIn(query), conditions: conditionsOf(request) },
    ...(typeof entry.fullUrl === 'string' ? { fullUrl: entry.fullUrl } : {}),
  }
}

const split = (url: string): [string, string] => {
  const at = url.indexOf('?')
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)]
}

/** A patch comes as a Binary that holds it (FHIR R4, 3.1.0.10.3). */
function bodyOf(
  resource: FhirValue | undefined,
  method: FhirMethod,
  where: string,
): Pick<BundleEntry, 'tree' | 'patch'> {
  if (method === 'GET' || method === 'DELETE') return {}
  if (!isObject(resource) || typeof resource.resourceType !== 'string')
    throw wrong('This entry needs a resource.', `${where}.resource`)
  const tree = resource as FhirTree
  if (method !== 'PATCH') return { tree }
  if (tree.resourceType !== 'Binary' || typeof tree.data !== 'string')
    throw wrong('A patch comes as a Binary of the type application/json-patch+json.', `${where}.resource`)
  return { patch: parseJson(Buffer.from(tree.data, 'base64').toString('utf8')) }
}

function conditionsOf(request: FhirObject): Conditions {
  const text = (name: string) => (typeof request[name] === 'string' ? (request[name] as string) : undefined)
  return {
    ...{ ifMatch: text('ifMatch'), ifNoneMatch: text('ifNoneMatch') },
    ...{ ifNoneExist: text('ifNoneExist'), ifModifiedSince: text('ifModifiedSince') },
  }
}

export const wrong = (words: string, pointer: string) => clinicalFailure('bundle-wrong', words, { pointer })
