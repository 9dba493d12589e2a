/** Versions as a Bundle of the type history. */
import { type FhirTree, parseFhir } from '@careloop/fhir'
import { clinicalFailure } from '../errors.ts'
import { readHistory } from '../store/history.ts'
import type { Stored } from '../stored.ts'
import type { FhirRoom } from './fhir-room.ts'
import { etagOf, type FhirAnswer, type FhirRequest } from './request.ts'

const defaultCount = 50
const maxCount = 1_000

export async function historyAnswer(
  room: FhirRoom,
  { by, query, base, path }: FhirRequest,
  of: { type?: string; id?: string },
): Promise<FhirAnswer> {
  const asked = (name: string) => query.find(([each]) => each === name)?.[1]
  const [since, after] = [asked('_since'), asked('_after')]
  const limit = Math.min(maxCount, Math.max(1, Math.floor(Number(asked('_count') ?? defaultCount)) || defaultCount))
  const { items, next } = await readHistory(room, by, {
    ...of,
    limit,
    ...(since === undefined ? {} : { since: instantIn(since) }),
    ...(after === undefined ? {} : { after }),
  })
  const here = `${base}/${path.join('/')}`
  const link = (relation: string, cursor?: string) => {
    const pairs = new URLSearchParams({ _count: String(limit), ...(since === undefined ? {} : { _since: since }) })
    if (cursor !== undefined) pairs.set('_after', cursor)
    return { relation, url: `${here}?${pairs}` }
  }
  const tree: FhirTree = {
    ...{ resourceType: 'Bundle', type: 'history' },
    link: [link('self', after), ...(next === null ? [] : [link('next', next)])],
    ...(items.length === 0 ? {} : { entry: items.map((stored) => entryOf(base, stored)) }),
  }
  return { status: 200, body: { tree } }
}

/** What made the version: FHIR wants its request and its answer said. */
function entryOf(base: string, stored: Stored) {
  const { type, id, version, isDeleted, updatedAt, text } = stored
  const name = `${type}/${id}`
  const request = isDeleted
    ? { method: 'DELETE', url: name }
    : version === 1
      ? { method: 'POST', url: type }
      : { method: 'PUT', url: name }
  return {
    fullUrl: `${base}/${name}`,
    ...(isDeleted ? {} : { resource: parseFhir(text) }),
    request,
    response: {
      status: isDeleted ? '204' : version === 1 ? '201' : '200',
      ...{ etag: etagOf(stored), lastModified: new Date(updatedAt).toISOString() },
    },
  }
}

/** @throws Failure `resource-unreadable` */
function instantIn(text: string): number {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw clinicalFailure('resource-unreadable', '_since is a FHIR instant.', { pointer: '_since' })
  return at
}
