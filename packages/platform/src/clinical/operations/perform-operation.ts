/** Operations that are searches: `Patient/[id]/$everything` and `Observation/$lastn`, by GET or by POST of Parameters. */
import { type FhirTree, isObject, type Pair } from '@careloop/fhir'
import { clinicalFailure } from '../errors.ts'
import type { FhirAnswer, FhirRequest } from '../rest/request.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { everything } from './everything.ts'
import { lastN } from './last-n.ts'

/** Null: it is none of these. @throws Failure `interaction-not-served`, `resource-not-found`, SearchError */
export async function performOperation(room: ClinicalRoom, request: FhirRequest): Promise<FhirAnswer | null> {
  const [type, second, third] = request.path
  const { by, base, isStrict } = request
  const pairs = [...request.query, ...parametersIn(request.tree)]
  if (type === 'Patient' && third === '$everything' && request.path.length === 3) {
    assertRead(request)
    return { status: 200, body: { tree: await everything(room, { by, base, pairs }, second!) } }
  }
  if (type === 'Observation' && second === '$lastn' && request.path.length === 2) {
    assertRead(request)
    return { status: 200, body: { tree: await lastN(room, { by, base, pairs, isStrict }) } }
  }
  return null
}

function assertRead({ method }: FhirRequest): void {
  if (method === 'GET' || method === 'POST') return
  throw clinicalFailure('interaction-not-served', 'An operation is asked for by GET or POST.')
}

/** `Parameters.parameter` as pairs of a query: each value is of a primitive type. */
function parametersIn(tree: FhirTree | undefined): Pair[] {
  const list = Array.isArray(tree?.parameter) ? tree.parameter : []
  return list.flatMap((each): Pair[] => {
    if (!isObject(each) || typeof each.name !== 'string') return []
    const value = Object.entries(each).find(([name]) => name.startsWith('value'))?.[1]
    if (typeof value === 'string' || typeof value === 'number') return [[each.name, String(value)]]
    return isObject(value) && typeof value.rawJSON === 'string' ? [[each.name, value.rawJSON]] : []
  })
}
