/**
 * Who is erased stands also in what is not theirs: as the member of a Group, in a Bundle that was kept, as what another's record points
 * to. It is sealed under a key that stays, so it is taken out: of a Group and of another's resource their name, of what is of nobody
 * else the whole. Older versions go with it. Run before their compartment is deleted: by that it is told what they are called.
 */
import { keysOf, parseFhir } from '@careloop/fhir'
import { record } from '../audit/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { Erased, Forget } from '../subjects/index.ts'
import { foundByKey, notByKey, oldOfNobody, openedRow, type Person, personOf } from './find-named.ts'
import { namesPerson, withoutPerson } from './names-person.ts'
import type { VersionRow } from './schema.ts'
import type { Blind } from './store/blind.ts'
import { publishChange } from './store/commit.ts'
import { goneOf, rowOf } from './store/draft.ts'
import { type Ground, makeGround } from './store/ground.ts'
import { kindWord } from './store/kind-word.ts'
import { type PlacedRow, rowsToChange } from './store/rows.ts'
import { replaceRows } from './store/write-rows.ts'
import type { Stored } from './stored.ts'
import { servedTypes } from './types.ts'

/** Bodies that are held at once. */
const some = 500

export const forgetNamed = (engine: Engine): Forget => {
  const ground = makeGround(engine, keysOf)
  return (tx, erased) =>
    tx.asTenant(erased.tenant, async (inner) => {
      if (!(await isPatient(inner, erased.subject))) return
      const blind = await ground.blinds(erased.tenant)
      const person = await personOf(ground, inner, erased.subject, blind)
      const keyed = await foundByKey(inner, erased.subject, person, blind)
      const nobodys = await notByKey(ground, inner, person)
      await forgetVersions(inner, erased, await oldOfNobody(ground, inner, person))
      const rids = [...new Set([...keyed, ...nobodys])].sort()
      for (let from = 0; from < rids.length; from += some)
        await takeOut(ground, inner, erased, person, blind, rids.slice(from, from + some))
    })
}

/** A place or a thing is no name of anybody. */
async function isPatient(tx: TenantTx, subject: string): Promise<boolean> {
  const { rowCount } = await tx.client.query(
    "select from tenant.subject where tenant_id = $1 and id = $2 and kind = 'patient'",
    [tx.tenant, subject],
  )
  return rowCount === 1
}

async function forgetVersions(tx: TenantTx, erased: Erased, versions: readonly VersionRow[]): Promise<void> {
  if (versions.length === 0) return
  await tx.client.query(
    `delete from tenant.clinical_history h using unnest($2::uuid[], $3::int[]) as d(rid, version)
      where h.tenant_id = $1 and h.rid = d.rid and h.version = d.version`,
    [tx.tenant, versions.map(({ rid }) => rid), versions.map(({ version }) => version)],
  )
  const each = new Map(versions.map(({ rid, type }) => [rid, type]))
  await record(
    tx,
    [...each].map(([id, type]) => ({ ...trail(erased), action: 'delete' as const, resource: kindWord(type), id })),
  )
}

const trail = ({ actor, requestId }: Erased) => ({ actor, requestId, purpose: 'HOPERAT' as const })

/** In one order, locked: who writes to them meanwhile waits. */
async function takeOut(
  ground: Ground,
  tx: TenantTx,
  erased: Erased,
  person: Person,
  blind: Blind,
  rids: readonly string[],
): Promise<void> {
  const { engine } = ground
  for (const before of (await rowsToChange(tx, rids)).values()) {
    const stored = before.deleted_at === null ? await openedRow(engine, tx, before) : null
    if (stored === null || !namesPerson(stored.text, person)) continue
    const next = await nextOf(ground, tx, { before, stored, person, blind })
    await replaceRows(tx, [{ before, next: next.row }], false)
    await tx.client.query('delete from tenant.clinical_history where tenant_id = $1 and rid = $2', [
      ...[tx.tenant, before.rid],
    ])
    const { subject, type, rid } = next.stored
    await record(tx, {
      ...{ ...trail(erased), action: next.stored.isDeleted ? 'delete' : 'update', resource: kindWord(type), id: rid },
      ...(subject === null ? {} : { subjects: [subject] }),
    })
    await publishChange(tx, next.stored)
  }
}

interface Taking {
  readonly before: PlacedRow
  readonly stored: Stored
  readonly person: Person
  readonly blind: Blind
}

/** Another's, the organisation's and a Group stay without them, where that is all of it; what else is of nobody ends. */
async function nextOf({ engine, keysOf: keys }: Ground, tx: TenantTx, taking: Taking) {
  const { before, stored, person, blind } = taking
  const { type, id, rid, subject, signals, program, isDerived } = stored
  const key = await engine.keys.key(before.key_id)
  // Not when they were erased: after a restore that may be before the version that is replaced.
  const at = engine.clock.now()
  const stays = subject !== null || type === 'Group' || servedTypes[type]?.isCommon === true
  const tree = stays ? withoutPerson(parseFhir(stored.text), person) : null
  if (tree === null || namesPerson(JSON.stringify(tree), person))
    return goneOf(before, { id, tenant: tx.tenant, key, at })
  const draft = { type, id, rid, tree, subject, signals, program, isDerived, updatedAt: at }
  return rowOf(draft, { tenant: tx.tenant, key, blind, keysOf: keys }, before)
}
