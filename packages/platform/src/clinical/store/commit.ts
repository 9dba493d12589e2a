/**
 * Writes many changes in one transaction: their subjects held, what stands locked, each decided, then all written by a few statements.
 * What one of them fails by is its own outcome, decided before anything is written; the caller says what that means for the others.
 */
import { parseFhir, toResource } from '@careloop/fhir'
import { type AuditEntry, record } from '../../audit/index.ts'
import type { TenantTx } from '../../engine/index.ts'
import { type By, purposed, trailOf } from '../../subjects/index.ts'
import { appendReadings, namesOf } from '../derive/append-readings.ts'
import { clinicalFailure } from '../errors.ts'
import type { Taken } from '../parts.ts'
import { eyesFor, isTold, isWithin } from '../rights.ts'
import type { ResourceRow } from '../schema.ts'
import type { Stored } from '../stored.ts'
import { servedTypes } from '../types.ts'
import { insteadOf } from '../views/instead-of.ts'
import { type Change, isTakenIn, type Outcome } from './change.ts'
import { type Draft, rowOf, type Sealing, textOf } from './draft.ts'
import { kindWord } from './kind-word.ts'
import { MadeMeanwhile } from './made-meanwhile.ts'
import { type HeldSubject, holdSubjects, seesSubject } from './places.ts'
import { notFound } from './read.ts'
import { nameOf, subjectsBehind } from './references.ts'
import type { ClinicalRoom } from './room.ts'
import { openRow, type PlacedRow, rowsToChange } from './rows.ts'
import { toldAlready } from './told-already.ts'
import { insertRows, type NewRow, replaceRows } from './write-rows.ts'

/** @param known subjects behind references that were made in this transaction, by `Type/id` */
export async function commitAll(
  room: ClinicalRoom,
  tx: TenantTx,
  changes: readonly Change[],
  known: ReadonlyMap<string, string | null> = new Map(),
): Promise<Outcome[]> {
  const { ground } = room
  const targets = changes.flatMap(({ pointings }) => pointings).filter((target) => !known.has(nameOf(target)))
  const behind = new Map([...known, ...(await subjectsBehind(ground, tx, targets))])
  const held = await holdSubjects(ground, tx, [...behind.values()])
  const standing = await rowsToChange(
    tx,
    changes.filter(({ mode }) => mode === 'put').map(({ rid }) => rid),
  )
  const outcomes: Outcome[] = []
  const writes: Write[] = []
  for (const change of changes) {
    try {
      const decided = await decide(room, tx, change, { behind, held, before: standing.get(change.rid) })
      if ('same' in decided) outcomes.push({ written: { stored: decided.same, isNew: false, isChanged: false } })
      else {
        writes.push(decided)
        outcomes.push({ written: { stored: decided.stored, isNew: decided.before === undefined, isChanged: true } })
      }
    } catch (failure) {
      outcomes.push({ failure })
    }
  }
  await writeAll(tx, writes)
  await tellReadings(room, tx, writes)
  return outcomes
}

interface Write {
  readonly change: Change
  readonly before: ResourceRow | undefined
  /** What stood, opened; null = nothing, or it was gone. */
  readonly stood: Stored | null
  readonly row: NewRow
  readonly stored: Stored
}

interface Known {
  readonly behind: ReadonlyMap<string, string | null>
  readonly held: Map<string, HeldSubject>
  readonly before: PlacedRow | undefined
}

async function decide(
  room: ClinicalRoom,
  tx: TenantTx,
  change: Change,
  known: Known,
): Promise<Write | { readonly same: Stored }> {
  const { ground } = room
  const { type, id, rid, granted } = change
  const before = await assertChangeable(room, tx, change, known.before)
  const taken: Taken = isTakenIn(change)
    ? await takeIn(room, tx, change, { before, known })
    : { subject: subjectOf(change, known) }
  const { subject, tree = change.tree } = taken
  const draft: Draft = {
    ...{ type, id, rid, tree, subject, signals: change.signals, updatedAt: ground.engine.clock.now() },
    // What its room took in stays a view of that room's.
    isDerived: taken.isView ?? before?.isDerived ?? false,
    ...(tree === change.tree ? { resource: change.resource } : {}),
  }
  const key = subject === null ? await ground.engine.keys.keyFor('tenant', tx.tenant) : known.held.get(subject)!.key
  const sealing: Sealing = { tenant: tx.tenant, key, blind: await ground.blinds(tx.tenant), keysOf: ground.keysOf }
  if (before !== null && isSame(before, draft)) return { same: before }
  const made = rowOf(draft, sealing, known.before)
  if (!isWithin(granted.filters, made.stored))
    throw clinicalFailure('type-not-yours', `The scopes of this app do not include a ${type} like this one.`)
  return { change, before: known.before, stood: before, ...made }
}

/** @returns what stands, opened; null = nothing, or it is gone */
async function assertChangeable(
  room: ClinicalRoom,
  tx: TenantTx,
  change: Change,
  row: PlacedRow | undefined,
): Promise<Stored | null> {
  const { granted, expected, type } = change
  if (row === undefined) {
    // Said of a version that was read: there is none.
    if (expected.version !== undefined) throw versionMoved()
    return null
  }
  const stored = await openRow(room.ground.engine, tx.tenant, row)
  const eyes = await eyesFor(room.parts, granted)
  // Nor is written over what consent keeps from them; of what is gone nothing is left to be kept.
  const isTheirs = eyes.seesRow(row) && (stored.isDeleted ? isTold(granted, stored) : await eyes.shows(tx, stored))
  if (!isTheirs) throw notFound()
  if (row.deleted_at === null && expected.isNew === true)
    throw clinicalFailure('version-moved', 'There is one already, and If-None-Match asked that there be none.')
  if (expected.version !== undefined && expected.version !== row.version) throw versionMoved()
  if (row.is_derived && !isTakenIn(change))
    throw clinicalFailure('resource-derived', `This ${type} is kept by another part of the server. ${insteadOf(type)}`)
  return row.deleted_at === null ? stored : null
}

const versionMoved = () =>
  clinicalFailure('version-moved', 'Somebody changed it meanwhile. Read it again and repeat the change.')

/** The room that owns it says whose it is; a new subject has a key from then on. */
async function takeIn(
  { ground, parts }: ClinicalRoom,
  tx: TenantTx,
  { granted, tree, resource, id, type, pointings }: Change,
  { before, known }: { before: Stored | null; known: Known },
): Promise<Taken> {
  const taken = await parts.takeIn(tx, granted.by, { tree, resource, id, before })
  const subject = taken === null ? subjectOf({ granted, type, pointings }, known) : taken.subject
  if (subject !== null && !known.held.has(subject))
    for (const [each, held] of await holdSubjects(ground, tx, [subject])) known.held.set(each, held)
  return { ...taken, subject }
}

/** @throws Failure `patient-unknown`: not there, erased, or not theirs to know of */
function subjectOf(
  { granted, type, pointings }: Pick<Change, 'granted' | 'type' | 'pointings'>,
  { behind, held }: Known,
): string | null {
  for (const { expression, ...target } of pointings) {
    const subject = behind.get(nameOf(target))
    if (subject === null) continue
    const there = subject === undefined ? undefined : held.get(subject)
    if (there !== undefined && seesSubject(granted.by.sight, there)) return there.id
    // What else is out of sight is passed over as what is not there: by its refusal it would be told from that.
    if (target.type === 'Patient') throw patientUnknown(expression)
  }
  if (servedTypes[type]!.needsSubject === true) throw patientUnknown(`${type}.${servedTypes[type]!.subject![0]}`)
  return null
}

const patientUnknown = (pointer: string) =>
  clinicalFailure(
    'patient-unknown',
    'This must point to a patient (or place, or thing) that is here. Send that one first.',
    {
      pointer,
    },
  )

const isSame = (before: Stored, draft: Draft): boolean =>
  before.subject === draft.subject && before.text === textOf(draft, before.version, before.updatedAt)

async function writeAll(tx: TenantTx, writes: readonly Write[]): Promise<void> {
  if (writes.length === 0) return
  await replaceRows(
    tx,
    writes.flatMap(({ before, row }) => (before === undefined ? [] : [{ before, next: row }])),
  )
  const fresh = writes.filter(({ before }) => before === undefined)
  const made = await insertRows(
    tx,
    fresh.map(({ row }) => row),
  )
  if (fresh.some(({ row }) => !made.has(row.rid))) throw new MadeMeanwhile()
  await record(
    tx,
    writes.flatMap(({ stored, change }) => entriesOf(change.granted.by, stored)),
  )
  for (const { stored } of writes) await publishChange(tx, stored)
}

/** Rules evaluate what another system measured like what a device sent. */
async function tellReadings({ ground }: ClinicalRoom, tx: TenantTx, writes: readonly Write[]): Promise<void> {
  const observations = writes.filter(({ stored }) => stored.type === 'Observation')
  const known = await toldAlready(
    ground.engine,
    tx,
    observations.map(({ change, stored, row }) => ({
      ...{ rid: stored.rid, subject: stored.subject, at: row.at, resource: change.resource },
    })),
  )
  for (const { stood } of observations)
    if (stood !== null) for (const name of namesOf(stood.subject, toResource(parseFhir(stood.text)))) known.add(name)
  for (const { change, stored } of observations) {
    const { rid, version, subject } = stored
    appendReadings(ground.engine, tx, { resource: change.resource, rid, version, subject }, known)
    for (const name of namesOf(subject, change.resource)) known.add(name)
  }
}

export const publishChange = (tx: TenantTx, { type: kind, rid, subject }: Stored): Promise<void> =>
  tx.publish({ type: 'ClinicalChanged', kind, rid, ...(subject === null ? {} : { subject }) })

export const entriesOf = (by: By, { type, rid, subject, version, isDeleted }: Stored): readonly AuditEntry[] =>
  purposed(by.sight, {
    ...{ ...trailOf(by), resource: kindWord(type), id: rid },
    action: isDeleted ? 'delete' : version === 1 ? 'create' : 'update',
    ...(subject === null ? {} : { subjects: [subject] }),
  })
