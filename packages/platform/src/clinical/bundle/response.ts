/** Entries of the answer to a batch or transaction. */
import { type FhirTree, parseFhir } from '@careloop/fhir'
import type { FhirRefusal } from '../rest/failure-outcome.ts'
import { etagOf, type FhirAnswer } from '../rest/request.ts'

/** `Prefer: return=` of the Bundle: by default a write is answered by its version and place. */
export type Wanted = 'minimal' | 'representation'

const words: Readonly<Record<number, string>> = {
  ...{ 200: '200 OK', 201: '201 Created', 204: '204 No Content', 304: '304 Not Modified', 400: '400 Bad Request' },
  ...{
    403: '403 Forbidden',
    404: '404 Not Found',
    405: '405 Method Not Allowed',
    409: '409 Conflict',
    410: '410 Gone',
  },
  ...{ 412: '412 Precondition Failed', 422: '422 Unprocessable Entity', 429: '429 Too Many Requests' },
}
const statusOf = (status: number): string => words[status] ?? String(status)

export function answerEntry(
  { status, stored, location, body, isWrite }: FhirAnswer,
  wanted: Wanted,
): FhirTree['entry'] {
  const isShown = body !== undefined && (isWrite !== true || wanted === 'representation')
  return {
    ...(isShown ? { resource: 'tree' in body ? body.tree : parseFhir(body.text) } : {}),
    response: {
      status: statusOf(status),
      ...(location === undefined ? {} : { location }),
      ...(stored === undefined ? {} : { etag: etagOf(stored), lastModified: new Date(stored.updatedAt).toISOString() }),
    },
  }
}

export const refusedEntry = ({ status, outcome }: FhirRefusal): FhirTree['entry'] => ({
  response: { status: statusOf(status), outcome },
})

export const bundleOf = (type: string, entry: readonly FhirTree['entry'][]): FhirTree =>
  ({ resourceType: 'Bundle', type, ...(entry.length === 0 ? {} : { entry }) }) as FhirTree
