/** One interaction, whichever way it came: as a request of its own, or as an entry of a batch. */
import { idPattern } from '@careloop/fhir'
import { clinicalFailure } from '../errors.ts'
import { performOperation } from '../operations/perform-operation.ts'
import { grantFor } from '../rights.ts'
import { notFound, readResource, readVersion } from '../store/read.ts'
import { createResource, patchResource, removeResource, updateResource } from '../store/write.ts'
import { isServed } from '../types.ts'
import { auditAnswer } from '../views/audit-events.ts'
import { conditionOf, createUnlessThere, performConditional } from './conditional.ts'
import { pairsIn } from './context.ts'
import { type FhirRoom, writtenAnswer } from './fhir-room.ts'
import { historyAnswer } from './history-bundle.ts'
import { changeByPatch } from './patch-body.ts'
import { expectedOf, isUnchanged } from './preconditions.ts'
import type { FhirAnswer, FhirRequest } from './request.ts'
import { validateAnswer } from './validate-operation.ts'

/** @throws Failure, Unreadable, SearchError as failure-outcome.ts tells them */
export async function perform(room: FhirRoom, request: FhirRequest): Promise<FhirAnswer> {
  const { path, method } = request
  await room.parts.consents.gate(request.by)
  const [type, second, third, fourth] = path
  if ((type === undefined && method === 'GET') || (type === '_search' && path.length === 1 && method === 'POST'))
    return system(room, request)
  if (type === undefined) throw notServed('The base itself takes a batch or a transaction, by POST.')
  if (type === '_history' && path.length === 1) return read(request, () => historyAnswer(room, request, {}))
  if (!isServed(type)) throw unknownType()
  if (type === 'AuditEvent') return auditAnswer(room, request)
  if (path.at(-1) === '$validate' && path.length <= 3) return validateAnswer(room, request)
  if (path.some((each) => each.startsWith('$'))) {
    const answer = await performOperation(room, request)
    if (answer === null) throw unknownOperation()
    return answer
  }
  if (second === undefined) return ofType(room, request, type)
  if (second === '_history' && path.length === 2) return read(request, () => historyAnswer(room, request, { type }))
  if (second === '_search' && path.length === 2 && method === 'POST') return search(room, request, type)
  if (!idPattern.test(second)) throw notFound()
  if (third === undefined) return ofInstance(room, request, type, second)
  if (third === '_history' && fourth === undefined)
    return read(request, () => historyAnswer(room, request, { type, id: second }))
  if (third === '_history') return read(request, () => version(room, request, { type, id: second, version: fourth! }))
  return compartment(room, request, { type, id: second, target: third })
}

const unknownType = () =>
  clinicalFailure('type-not-served', 'This server keeps no resources of this type: see metadata.')
const unknownOperation = () =>
  clinicalFailure('operation-not-served', 'This server has no such operation here: see metadata.')
const notServed = (words: string) => clinicalFailure('interaction-not-served', words)

/** @throws Failure `interaction-not-served` unless it is asked by GET */
function read(request: FhirRequest, answer: () => Promise<FhirAnswer>): Promise<FhirAnswer> {
  if (request.method !== 'GET') throw notServed('This is read by GET only.')
  return answer()
}

async function ofType(room: FhirRoom, request: FhirRequest, type: string): Promise<FhirAnswer> {
  const { method, by, conditions, base } = request
  if (method === 'GET') return search(room, request, type)
  if (method !== 'POST') {
    assertType(request, type)
    return performConditional(room, request)
  }
  const tree = assertType(request, type)!
  if (conditions.ifNoneExist !== undefined)
    return createUnlessThere(room, request, conditionOf(pairsIn(conditions.ifNoneExist)))
  return writtenAnswer(await createResource(room, by, tree), base)
}

async function ofInstance(room: FhirRoom, request: FhirRequest, type: string, id: string): Promise<FhirAnswer> {
  const { method, by, conditions, base } = request
  const expected = expectedOf(conditions)
  switch (method) {
    case 'GET': {
      const stored = await readResource(room, by, type, id)
      return isUnchanged(conditions, stored) ? { status: 304, stored } : { status: 200, stored, body: stored }
    }
    case 'PUT': {
      const tree = assertType(request, type)!
      if (tree.id !== id)
        throw clinicalFailure('id-mismatch', 'The resource must carry the id under which it is put.', {
          pointer: `${type}.id`,
        })
      return writtenAnswer(await updateResource(room, by, tree, expected), base)
    }
    case 'PATCH': {
      const change = changeByPatch(request.patch!)
      return writtenAnswer(await patchResource(room, by, { type, id }, { change, expected }), base)
    }
    case 'DELETE': {
      const gone = await removeResource(room, by, { type, id, expected })
      return { status: 204, ...(gone === null ? {} : { stored: gone }) }
    }
    default:
      throw notServed('A resource is created by POST to its type, and put under an id of your choice by PUT.')
  }
}

/** @throws Failure `id-mismatch` when the body is of another type than the address */
function assertType({ tree, method }: FhirRequest, type: string) {
  if (method !== 'PATCH' && method !== 'DELETE' && tree?.resourceType !== type)
    throw clinicalFailure('id-mismatch', `Send a resource of the type ${type} here.`, { pointer: 'resourceType' })
  return tree
}

async function version(
  room: FhirRoom,
  { by, conditions }: FhirRequest,
  { type, id, version: text }: { type: string; id: string; version: string },
): Promise<FhirAnswer> {
  const number = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null
  if (number === null) throw notFound()
  const stored = await readVersion(room, by, { type, id, version: number })
  return isUnchanged({ ifNoneMatch: conditions.ifNoneMatch }, stored)
    ? { status: 304, stored }
    : { status: 200, stored, body: stored }
}

const system = async ({ searching }: FhirRoom, { by, query, base, isStrict }: FhirRequest): Promise<FhirAnswer> => ({
  status: 200,
  body: { tree: await searching.system({ by, pairs: query, base, isStrict }) },
})

async function search(
  { searching }: FhirRoom,
  { by, query, base, isStrict }: FhirRequest,
  type: string,
  compartment?: { type: string; id: string },
): Promise<FhirAnswer> {
  const where = compartment === undefined ? {} : { compartment }
  return { status: 200, body: { tree: await searching.search({ by, type, pairs: query, base, isStrict, ...where }) } }
}

/** `Patient/1/Observation`, by GET, or by POST to its `_search`. */
function compartment(
  room: FhirRoom,
  request: FhirRequest,
  { type, id, target }: { type: string; id: string; target: string },
): Promise<FhirAnswer> {
  const isAsked = request.path.length === 3 ? request.method === 'GET' : request.path[3] === '_search'
  if (!isServed(target)) throw unknownType()
  if (!isAsked || request.path.length > 4) throw notServed('A compartment is searched by GET, or by POST to _search.')
  grantFor(request.by, type, 'r')
  if (target === 'AuditEvent' && type === 'Patient') return auditAnswer(room, request, id)
  return search(room, request, target, { type, id })
}
