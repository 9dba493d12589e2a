/**
 * Conditional create, update, patch and delete: what a search finds decides what is done. Two who ask the same wait for each other,
 * by a lock on what they ask, so that fifty at once make one; nobody has to try again.
 */
import type { Pair } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import { clinicalFailure } from '../errors.ts'
import { eyesFor, type Granted, grantFor, mayDo } from '../rights.ts'
import { changeOf, lockOf } from '../store/change.ts'
import { commitAll } from '../store/commit.ts'
import { again } from '../store/made-meanwhile.ts'
import { auditRead } from '../store/read.ts'
import { assertDone, assertRemovable, patchedChange, removeWithin } from '../store/write.ts'
import type { Stored } from '../stored.ts'
import { type FhirRoom, writtenAnswer } from './fhir-room.ts'
import { changeByPatch } from './patch-body.ts'
import { expectedOf } from './preconditions.ts'
import type { FhirAnswer, FhirRequest } from './request.ts'
import { locationOf } from './request.ts'

/** Parameters that shape an answer and find nothing. */
const ofAnswer: ReadonlySet<string> = new Set(['_format', '_pretty', '_summary', '_elements'])

/** @throws Failure `condition-missing` */
export function conditionOf(query: readonly Pair[]): readonly Pair[] {
  const pairs = query.filter(([name]) => !ofAnswer.has(name))
  if (pairs.length > 0) return pairs
  throw clinicalFailure('condition-missing', 'Name the resource: by its id in the path, or by search parameters.')
}

/** The same condition has one lock, in whatever order its parameters came. */
export const lockText = (pairs: readonly Pair[]): string =>
  JSON.stringify([...pairs].map((pair) => pair.join('=')).sort())

/** Held until the transaction ends. @param locks those of one transaction, taken in one order by everybody */
export async function holdConditions(tx: TenantTx, locks: readonly string[]): Promise<void> {
  const inOrder = [...new Set(locks)].sort()
  if (inOrder.length > 0)
    await tx.client.query('select pg_advisory_xact_lock(k) from unnest($1::bigint[]) as k', [inOrder])
}

/** Names of resources: who knows one learns by it whether it is here, and nothing of what it says. */
const naming: ReadonlySet<string> = new Set(['identifier', '_id'])

/**
 * Whether it is there is told by what becomes of the write, so a condition is a search: asked in sight of who may search. Who may only
 * send in says by its identifier that it is sent once, and asks nothing else.
 * @throws Failure `type-not-yours`
 */
function askedAs(granted: Granted, pairs: readonly Pair[]): Granted {
  const { by, type } = granted
  const isName = pairs.length > 0 && pairs.every(([name]) => naming.has(name))
  return mayDo(by, type, 's') || !isName ? grantFor(by, type, 's') : granted
}

/** The one that fulfils the condition; null = none. @throws Failure `condition-ambiguous`, `type-not-yours` */
export async function matchOf(
  { searching }: Pick<FhirRoom, 'searching'>,
  tx: TenantTx,
  granted: Granted,
  pairs: readonly Pair[],
): Promise<Stored | null> {
  const found = await searching.find(tx, askedAs(granted, pairs), pairs, 2)
  if (found.length > 1)
    throw clinicalFailure('condition-ambiguous', 'Several resources fulfil this condition. Ask for one of them.')
  return found[0] ?? null
}

/** PUT, PATCH and DELETE of `Type?condition`. */
export function performConditional(room: FhirRoom, request: FhirRequest): Promise<FhirAnswer> {
  const [type] = request.path as [string]
  const pairs = conditionOf(request.query)
  const granted = grantFor(request.by, type, request.method === 'DELETE' ? 'd' : 'u')
  if (request.method === 'DELETE') assertRemovable(type)
  const act = { PUT: putMatch, PATCH: patchMatch, DELETE: removeMatch }[request.method as 'PUT' | 'PATCH' | 'DELETE']
  return again(() =>
    room.ground.engine.db.asTenant(request.by.tenant, async (tx) => {
      await holdConditions(tx, [lockOf(tx.tenant, type, lockText(pairs))])
      return act(room, tx, { request, granted, match: await matchOf(room, tx, granted, pairs) })
    }),
  )
}

interface Matched {
  readonly request: FhirRequest
  readonly granted: Granted
  readonly match: Stored | null
}

async function putMatch(room: FhirRoom, tx: TenantTx, { request, granted, match }: Matched): Promise<FhirAnswer> {
  const tree = request.tree!
  const sent = typeof tree.id === 'string' ? tree.id : undefined
  if (match !== null && sent !== undefined && sent !== match.id)
    throw clinicalFailure('id-mismatch', 'The resource carries another id than the one that fulfils the condition.', {
      pointer: `${granted.type}.id`,
    })
  const id = match?.id ?? sent
  const as = match === null ? grantFor(request.by, granted.type, 'c') : granted
  const change = await changeOf(room, as, tree, id === undefined ? 'create' : 'put', {
    ...(id === undefined ? {} : { id }),
    expected: { ...expectedOf(request.conditions), ...(match === null ? { isNew: true } : {}) },
  })
  return writtenAnswer(assertDone((await commitAll(room, tx, [change]))[0]!), request.base)
}

async function patchMatch(room: FhirRoom, tx: TenantTx, { request, granted, match }: Matched): Promise<FhirAnswer> {
  if (match === null) throw clinicalFailure('resource-not-found', 'No resource fulfils this condition.')
  const change = await patchedChange(room, tx, granted, {
    ...{ id: match.id, change: changeByPatch(request.patch!), expected: expectedOf(request.conditions) },
  })
  return writtenAnswer(assertDone((await commitAll(room, tx, [change]))[0]!), request.base)
}

async function removeMatch(room: FhirRoom, tx: TenantTx, { request, granted, match }: Matched): Promise<FhirAnswer> {
  if (match === null) return { status: 204 }
  const gone = await removeWithin(room, tx, granted, { id: match.id, expected: expectedOf(request.conditions) })
  return { status: 204, ...(gone === null ? {} : { stored: gone }) }
}

/** POST with If-None-Exist: made only where none fulfils the condition. */
export function createUnlessThere(room: FhirRoom, request: FhirRequest, pairs: readonly Pair[]): Promise<FhirAnswer> {
  const tree = request.tree!
  const type = tree.resourceType
  const granted = grantFor(request.by, type, 'c')
  return again(async () => {
    // What is wrong with it is told also where there is one already: and before anybody waits for the lock.
    const change = await changeOf(room, granted, tree, 'create')
    return room.ground.engine.db.asTenant(request.by.tenant, async (tx) => {
      await holdConditions(tx, [lockOf(tx.tenant, type, lockText(pairs))])
      const match = await matchOf(room, tx, granted, pairs)
      if (match !== null) return thereAlready(room, tx, request, match)
      return writtenAnswer(assertDone((await commitAll(room, tx, [change]))[0]!), request.base)
    })
  })
}

/** Who may only send in learns where it is, and not what it says. */
async function thereAlready(
  room: FhirRoom,
  tx: TenantTx,
  { by, base }: FhirRequest,
  match: Stored,
): Promise<FhirAnswer> {
  const answer: FhirAnswer = { status: 200, stored: match, location: locationOf(base, match), isWrite: true }
  if (!mayDo(by, match.type, 'r')) return answer
  const eyes = await eyesFor(room.parts, grantFor(by, match.type, 'r'))
  if (!(await eyes.shows(tx, match))) return answer
  await auditRead(tx, eyes.granted.by, match)
  return { ...answer, body: match }
}
