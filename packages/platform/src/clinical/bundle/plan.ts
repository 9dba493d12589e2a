/**
 * What a transaction is to do, known before it begins: each entry parsed, let in, valid, with its id and its lock where it has a
 * condition. Nothing is read of the database here.
 */
import { setImmediate } from 'node:timers/promises'
import { Failure } from '@careloop/contract'
import { type FhirTree, idPattern, type Pair, parseSearch, toResource } from '@careloop/fhir'
import { clinicalFailure } from '../errors.ts'
import { ResourceInvalid } from '../invalid.ts'
import { conditionOf, lockText } from '../rest/conditional.ts'
import { pairsIn } from '../rest/context.ts'
import type { FhirRoom } from '../rest/fhir-room.ts'
import type { FhirRequest } from '../rest/request.ts'
import { type Granted, grantFor } from '../rights.ts'
import { assertValid, lockOf } from '../store/change.ts'
import { assertRemovable } from '../store/write.ts'
import { isServed } from '../types.ts'
import { type BundleEntry, entriesOf, wrong } from './entry.ts'
import { conditionsIn } from './rewrite.ts'

export interface Step {
  readonly entry: BundleEntry
  readonly type: string
  /** Known before: ours of a POST, theirs of a PUT by id. Absent: a condition decides. */
  readonly id?: string
  readonly granted: Granted
  /** What decides whether, and on what, it is done. */
  readonly condition?: readonly Pair[]
}

export interface Plan {
  readonly steps: readonly Step[]
  /** Advisory locks of all conditions. */
  readonly locks: readonly string[]
  /** Conditional references in the resources. */
  readonly references: readonly string[]
}

/** Entries looked at in one turn of the event loop: some 10 ms. */
const together = 50

/** @throws Failure `bundle-wrong`, and what an entry is refused by, with the entry named */
export async function planOf(room: FhirRoom, request: FhirRequest): Promise<Plan> {
  const entries = entriesOf(request.tree!, request.base)
  assertNamedOnce(entries)
  const steps: Step[] = []
  const references = new Set<string>()
  for (const entry of entries) {
    steps.push(await inEntry(entry.at, async () => stepOf(room, request, entry)))
    if (entry.tree !== undefined) for (const each of conditionsIn(entry.tree)) references.add(each)
    // Thousands of resources are looked at: others are answered in between.
    if (entry.at % together === together - 1) await setImmediate()
  }
  assertWrittenOnce(steps)
  const { tenant } = request.by
  const locks = steps.flatMap(({ type, condition }) =>
    condition === undefined ? [] : [lockOf(tenant, type, lockText(condition))],
  )
  return { steps, locks, references: [...references] }
}

/** `GET Observation?code=...`; what lies below an id is read. */
export const isSearch = ({ method, path }: BundleEntry): boolean => method === 'GET' && path.length === 1

function stepOf(room: FhirRoom, { by, isStrict }: FhirRequest, entry: BundleEntry): Step {
  const { method, path, tree } = entry
  const [type, id] = path
  if (type === undefined || !isServed(type))
    throw clinicalFailure('type-not-served', 'This server keeps no resources of this type: see metadata.')
  if (isSearch(entry)) {
    const now = room.ground.engine.clock.now()
    parseSearch(type, entry.query, { now, isStrict })
    return { entry, type, granted: grantFor(by, type, 's') }
  }
  if (method === 'GET') return { entry, type, granted: grantFor(by, type, 'r'), ...(id === undefined ? {} : { id }) }
  if (path.length > 2 || id?.startsWith('$') || id === '_history' || id === '_search')
    throw clinicalFailure('interaction-not-served', 'A transaction creates, updates, patches, deletes and reads.')
  if (id !== undefined && !idPattern.test(id))
    throw clinicalFailure('id-illegal', 'An id has 1 to 64 letters, digits, hyphens and points.')
  if (tree !== undefined) assertFits(tree, type, method === 'PUT' ? id : undefined)
  const condition = conditionFor(entry)
  const granted = grantFor(by, type, ({ POST: 'c', PUT: 'u', PATCH: 'u', DELETE: 'd' } as const)[method])
  if (method === 'DELETE') assertRemovable(type)
  if (method === 'POST' && id !== undefined)
    throw clinicalFailure('interaction-not-served', 'Put it under an id of your choice by PUT.')
  const own = method === 'POST' ? room.ground.engine.ids.uuid() : id
  return {
    ...{ entry, type, granted },
    ...(own === undefined ? {} : { id: own }),
    ...(condition === undefined ? {} : { condition }),
  }
}

function conditionFor({ method, path, query, conditions }: BundleEntry): readonly Pair[] | undefined {
  if (method === 'POST')
    return conditions.ifNoneExist === undefined ? undefined : conditionOf(pairsIn(conditions.ifNoneExist))
  return path.length === 1 ? conditionOf(query) : undefined
}

function assertFits(tree: FhirTree, type: string, id: string | undefined): void {
  if (tree.resourceType !== type || (id !== undefined && tree.id !== id))
    throw clinicalFailure('id-mismatch', 'The resource and its url name another type or id.', { pointer: `${type}.id` })
  assertValid(toResource(tree))
}

/** @throws Failure `bundle-wrong`: two entries of one name, so that nobody knows which one a reference means */
function assertNamedOnce(entries: readonly BundleEntry[]): void {
  const seen = new Set<string>()
  for (const { at, fullUrl } of entries) {
    if (fullUrl === undefined) continue
    if (seen.has(fullUrl))
      throw wrong('Two entries have this fullUrl: a reference to it means neither.', `Bundle.entry[${at}].fullUrl`)
    seen.add(fullUrl)
  }
}

function assertWrittenOnce(steps: readonly Step[]): void {
  const seen = new Set<string>()
  for (const { entry, type, id } of steps) {
    if (entry.method === 'GET' || id === undefined) continue
    const name = `${type}/${id}`
    if (seen.has(name))
      throw wrong(
        'Two entries change one resource: the order in which they would is not defined.',
        `Bundle.entry[${entry.at}].request.url`,
      )
    seen.add(name)
  }
}

/** What one entry is refused by refuses all, and says which it was. */
export async function inEntry<T>(at: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw namingEntry(at, error)
  }
}

export function namingEntry(at: number, error: unknown): unknown {
  const where = `Bundle.entry[${at}]`
  if (error instanceof ResourceInvalid)
    return new ResourceInvalid(
      error.issues.map((issue) => ({
        ...issue,
        expression: (issue.expression ?? ['']).map((path) => below(where, path)),
      })),
    )
  if (!(error instanceof Failure)) return error
  // The base is there: what is not found is a reason not to do the whole.
  const status = error.kind.status === 404 || error.kind.status === 410 ? 422 : error.kind.status
  return new Failure(error.code, { ...error.kind, status }, error.message, {
    ...{ pointer: below(where, error.pointer), cause: error },
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
  })
}

/** `Observation.code` of the entry's resource. */
const below = (where: string, path: string): string => {
  if (path.startsWith('Bundle.entry')) return path
  const inside = path.replace(/^[A-Z][A-Za-z]*\.?/, '')
  return path === '' || path.startsWith('/') ? where : `${where}.resource${inside === '' ? '' : `.${inside}`}`
}
