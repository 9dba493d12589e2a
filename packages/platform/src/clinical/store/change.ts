/** A write as it is asked for, and what must be known of it before its transaction. */
import { createHash } from 'node:crypto'
import { type FhirTree, type Issue, idPattern, type Resource, toResource, validate } from '@careloop/fhir'
import type { Expected, Written } from '../clinical.ts'
import { clinicalFailure } from '../errors.ts'
import { ResourceInvalid } from '../invalid.ts'
import type { Granted } from '../rights.ts'
import { servedTypes } from '../types.ts'
import { type Pointing, pointingsOf } from './references.ts'
import type { ClinicalRoom } from './room.ts'
import { signalsOf } from './signals.ts'

export interface Change {
  readonly granted: Granted
  readonly type: string
  readonly id: string
  readonly rid: string
  readonly tree: FhirTree
  readonly resource: Resource
  /** `create`: under an id of ours, which nobody has. */
  readonly mode: 'create' | 'put'
  readonly expected: Expected
  readonly pointings: readonly Pointing[]
  readonly signals: readonly string[]
}

export type Outcome = { readonly written: Written } | { readonly failure: unknown }

/** Types whose write another room takes in. */
const takenIn: ReadonlySet<string> = new Set(['Patient', 'Location', 'Device', 'Subscription'])
export const isTakenIn = ({ type }: Pick<Change, 'type'>): boolean => takenIn.has(type)

/**
 * @param id as the client chose it; absent = ours
 * @param isValid it was validated before
 * @throws Failure `interaction-not-served`, `id-illegal`; ResourceInvalid with every issue
 */
export async function changeOf(
  room: ClinicalRoom,
  granted: Granted,
  tree: FhirTree,
  mode: Change['mode'],
  {
    id = room.ground.engine.ids.uuid(),
    expected = {},
    isValid = false,
  }: { id?: string; expected?: Expected; isValid?: boolean } = {},
): Promise<Change> {
  const { type } = granted
  if (servedTypes[type]!.isReadOnly === true)
    throw clinicalFailure('interaction-not-served', `Resources of the type ${type} are made by this server alone.`)
  if (!idPattern.test(id))
    throw clinicalFailure('id-illegal', 'An id has 1 to 64 letters, digits, hyphens and points.', {
      pointer: `${type}.id`,
    })
  const resource = toResource(tree)
  if (!isValid) assertValid(resource)
  const blind = await room.ground.blinds(granted.by.tenant)
  return {
    ...{ granted, type, id, rid: blind.rid(type, id), tree, resource, mode, expected },
    ...{ pointings: pointingsOf(resource, room.parts.base), signals: signalsOf(resource) },
  }
}

/** @throws ResourceInvalid with every issue */
export function assertValid(resource: Resource): void {
  const issues = validate(resource)
  if (issues.some(isError)) throw new ResourceInvalid(issues)
}

const isError = ({ severity }: Issue): boolean => severity === 'error' || severity === 'fatal'

/** A name for what a search text asks of a type: two who ask the same wait for each other, and nobody learns what it was. */
export const lockOf = (tenant: string, type: string, text: string): string =>
  createHash('sha256').update(`${tenant} ${type} ${text}`).digest().readBigInt64BE(0).toString()
