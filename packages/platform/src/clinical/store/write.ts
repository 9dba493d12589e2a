/** Create, update, patch, delete: one at a time as they are asked, many a transaction as they come. */
import { type FhirTree, parseFhir } from '@careloop/fhir'
import { record } from '../../audit/index.ts'
import type { TenantTx } from '../../engine/index.ts'
import type { By } from '../../subjects/index.ts'
import type { Expected, Written } from '../clinical.ts'
import { clinicalFailure } from '../errors.ts'
import { eyesFor, type Granted, grantFor } from '../rights.ts'
import type { Stored } from '../stored.ts'
import { servedTypes } from '../types.ts'
import { type Change, changeOf, isTakenIn, type Outcome } from './change.ts'
import { commitAll, entriesOf, publishChange } from './commit.ts'
import { goneOf } from './draft.ts'
import { again } from './made-meanwhile.ts'
import { holdSubjects } from './places.ts'
import { notFound } from './read.ts'
import type { ClinicalRoom } from './room.ts'
import { openRow, type PlacedRow, rowsToChange } from './rows.ts'
import type { Together } from './together.ts'
import { replaceRows } from './write-rows.ts'

export interface WritingRoom extends ClinicalRoom {
  /** Shares transactions between what is written at the same time. */
  readonly together: Together
}

export async function createResource(room: WritingRoom, by: By, tree: FhirTree): Promise<Written> {
  return write(room, await changeOf(room, grantFor(by, tree.resourceType, 'c'), tree, 'create'))
}

/** @throws Failure `id-mismatch` where the tree has no id */
export async function updateResource(
  room: WritingRoom,
  by: By,
  tree: FhirTree,
  expected: Expected = {},
): Promise<Written> {
  const { id } = tree
  if (typeof id !== 'string')
    throw clinicalFailure('id-mismatch', 'The resource must carry the id under which it is put.', {
      pointer: `${tree.resourceType}.id`,
    })
  const granted = grantFor(by, tree.resourceType, 'u')
  return write(room, await changeOf(room, granted, tree, 'put', { id, expected }))
}

/** What another room takes in may fail half way: it has a transaction of its own. */
async function write(room: WritingRoom, change: Change): Promise<Written> {
  if (!isTakenIn(change)) return room.together(change)
  return again(async () => {
    const [outcome] = await room.ground.engine.db.asTenant(change.granted.by.tenant, async (tx) => {
      const outcomes = await commitAll(room, tx, [change])
      assertDone(outcomes[0]!)
      return outcomes
    })
    return assertDone(outcome!)
  })
}

/** @throws what it failed by */
export function assertDone(outcome: Outcome): Written {
  if ('failure' in outcome) throw outcome.failure
  return outcome.written
}

export async function patchResource(
  room: WritingRoom,
  by: By,
  { type, id }: { type: string; id: string },
  { change, expected = {} }: { change: (tree: FhirTree) => FhirTree; expected?: Expected },
): Promise<Written> {
  const granted = grantFor(by, type, 'u')
  await room.parts.consents.gate(granted.by)
  return again(() =>
    room.ground.engine.db.asTenant(by.tenant, async (tx) => {
      const next = await patchedChange(room, tx, granted, { id, change, expected })
      return assertDone((await commitAll(room, tx, [next]))[0]!)
    }),
  )
}

/** The patch as the change that it comes to, of the version that is locked from now on. */
export async function patchedChange(
  room: ClinicalRoom,
  tx: TenantTx,
  granted: Granted,
  { id, change, expected }: { id: string; change: (tree: FhirTree) => FhirTree; expected: Expected },
): Promise<Change> {
  // A patch is made of what stands: its tests and its answer tell of it, so it is of what may be read.
  const eyes = await eyesFor(room.parts, grantFor(granted.by, granted.type, 'r'))
  const { row } = await standing(room, tx, granted, id)
  if (row === undefined || !eyes.seesRow(row)) throw notFound()
  const stored = await openRow(room.ground.engine, tx.tenant, row)
  if (stored.isDeleted || !(await eyes.shows(tx, stored))) throw notFound()
  // Before the patch is tried: what it finds in another version says nothing of the one that was meant.
  if (expected.version !== undefined && expected.version !== row.version)
    throw clinicalFailure('version-moved', 'Somebody changed it meanwhile. Read it again and repeat the change.')
  return changeOf(room, granted, change(parseFhir(stored.text)), 'put', { id, expected })
}

/** What stands of it for them, locked; out of sight is not there. */
async function standing(
  room: ClinicalRoom,
  tx: TenantTx,
  granted: Granted,
  id: string,
): Promise<{ row: PlacedRow | undefined; rid: string }> {
  const rid = (await room.ground.blinds(tx.tenant)).rid(granted.type, id)
  const row = (await rowsToChange(tx, [rid])).get(rid)
  if (row === undefined) return { row, rid }
  const eyes = await eyesFor(room.parts, granted)
  const isTheirs = eyes.seesRow(row) && (await eyes.shows(tx, await openRow(room.ground.engine, tx.tenant, row)))
  return { row: isTheirs ? row : undefined, rid }
}

export async function removeResource(
  room: ClinicalRoom,
  by: By,
  { type, id, expected = {} }: { type: string; id: string; expected?: Expected },
): Promise<Stored | null> {
  const granted = grantFor(by, type, 'd')
  assertRemovable(type)
  await room.parts.consents.gate(granted.by)
  return room.ground.engine.db.asTenant(by.tenant, (tx) => removeWithin(room, tx, granted, { id, expected }))
}

/** @throws Failure `interaction-not-served` */
export function assertRemovable(type: string): void {
  if (servedTypes[type]!.isReadOnly === true)
    throw clinicalFailure('interaction-not-served', `Resources of the type ${type} are ended by this server alone.`)
  if (type === 'Patient')
    throw clinicalFailure('interaction-not-served', 'A person is erased by two people, on the page Erasure and holds.')
}

/** @returns null when there was none, or it is gone already */
export async function removeWithin(
  room: ClinicalRoom,
  tx: TenantTx,
  granted: Granted,
  { id, expected }: { id: string; expected: Expected },
): Promise<Stored | null> {
  const { engine } = room.ground
  const { row: before } = await standing(room, tx, granted, id)
  if (before === undefined || before.deleted_at !== null) return null
  if (expected.version !== undefined && expected.version !== before.version)
    throw clinicalFailure('version-moved', 'Somebody changed it meanwhile. Read it again and repeat the deletion.')
  if (before.is_derived)
    throw clinicalFailure('resource-derived', 'This is kept by another part of the server, and is ended there.')
  const subject = before.subject_id
  const key =
    subject === null
      ? await engine.keys.keyFor('tenant', tx.tenant)
      : (await holdSubjects(room.ground, tx, [subject])).get(subject)?.key
  if (key === undefined) return null
  const next = goneOf(before, { id, tenant: tx.tenant, key, at: engine.clock.now() })
  await replaceRows(tx, [{ before, next: next.row }])
  await record(tx, entriesOf(granted.by, next.stored))
  await publishChange(tx, next.stored)
  return next.stored
}
