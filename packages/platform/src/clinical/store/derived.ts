/** Views of other rooms' rows: written by their consumers, idempotent, the same bytes again for the same rows. */
import type { FhirTree } from '@careloop/fhir'
import type { DataKey, TenantTx } from '../../engine/index.ts'
import type { Derived } from '../clinical.ts'
import type { ResourceRow } from '../schema.ts'
import { type Draft, goneOf, rowOf, textOf } from './draft.ts'
import type { Ground } from './ground.ts'
import { holdSubjects } from './places.ts'
import { openRow, rowsToChange } from './rows.ts'
import { insertRows, type NewRow, replaceRows } from './write-rows.ts'

/** Several rows of one rid in one call: the last counts. */
export async function keepDerived(
  ground: Ground,
  tx: TenantTx,
  derived: readonly Derived[],
  areNew = false,
): Promise<void> {
  if (derived.length === 0) return
  const blind = await ground.blinds(tx.tenant)
  const drafts = new Map<string, Draft>()
  for (const each of derived) {
    const draft = draftOf(each, (type, id) => blind.rid(type, id))
    drafts.set(draft.rid, draft)
  }
  const keys = await keysOfSubjects(
    ground,
    tx,
    [...drafts.values()].map(({ subject }) => subject),
  )
  const sealing = { tenant: tx.tenant, blind, keysOf: ground.keysOf }
  const write = async (wanted: readonly Draft[], isNew: boolean): Promise<readonly Draft[]> => {
    const standing = await rowsToChange(tx, isNew ? [] : wanted.map(({ rid }) => rid))
    const fresh: NewRow[] = []
    const pairs: { before: ResourceRow; next: NewRow }[] = []
    for (const draft of wanted) {
      const key = keys.get(draft.subject ?? '')
      // Erased meanwhile: nothing is made of them any more.
      if (key === undefined) continue
      const before = standing.get(draft.rid)
      if (before === undefined) fresh.push(rowOf(draft, { ...sealing, key }).row)
      else if (!(await isSame(ground, tx, before, draft)))
        pairs.push({ before, next: rowOf(draft, { ...sealing, key }, before).row })
    }
    await replaceRows(tx, pairs)
    const made = await insertRows(tx, fresh)
    return wanted.filter(({ rid }) => fresh.some((row) => row.rid === rid) && !made.has(rid))
  }
  // What somebody else made since we looked stands now, committed: it is compared and replaced.
  const missed = await write([...drafts.values()], areNew)
  if (missed.length > 0) await write(missed, false)
}

export async function dropDerived(ground: Ground, tx: TenantTx, type: string, id: string, at: number): Promise<void> {
  const rid = (await ground.blinds(tx.tenant)).rid(type, id)
  const before = (await rowsToChange(tx, [rid])).get(rid)
  if (before === undefined || before.deleted_at !== null) return
  const key = (await keysOfSubjects(ground, tx, [before.subject_id])).get(before.subject_id ?? '')
  if (key === undefined) return
  await replaceRows(tx, [{ before, next: goneOf(before, { id, tenant: tx.tenant, key, at }).row }])
}

function draftOf(
  { resource, subject, signals, program, isClients, at }: Derived,
  ridOf: (type: string, id: string) => string,
): Draft {
  const { resourceType: type, id } = resource
  if (id === undefined) throw new TypeError(`a derived ${type} has no id`)
  // Made by code of ours: plain JSON, whose numbers JavaScript spells as they are.
  const tree = resource as unknown as FhirTree
  return {
    type,
    id,
    rid: ridOf(type, id),
    tree,
    subject,
    signals,
    program,
    isDerived: isClients !== true,
    updatedAt: at,
  }
}

/** Whether the version that stands says the same; when it was made is no part of it. */
async function isSame(ground: Ground, tx: TenantTx, before: ResourceRow, draft: Draft): Promise<boolean> {
  if (before.deleted_at !== null || before.subject_id !== draft.subject || before.is_derived !== draft.isDerived)
    return false
  const stored = await openRow(ground.engine, tx.tenant, before)
  return (
    stored.text === textOf(draft, before.version, Number(before.updated_at)) &&
    stored.program === draft.program &&
    (stored.signals ?? []).join() === (draft.signals ?? []).join()
  )
}

/** Keys of the subjects that live, `''` = the tenant's, for what is of no subject. Those who are erased are absent. */
async function keysOfSubjects(
  ground: Ground,
  tx: TenantTx,
  subjects: readonly (string | null)[],
): Promise<ReadonlyMap<string, DataKey>> {
  const keys = new Map([...(await holdSubjects(ground, tx, subjects))].map(([id, { key }]) => [id, key]))
  if (subjects.includes(null)) keys.set('', await ground.engine.keys.keyFor('tenant', tx.tenant))
  return keys
}
