/**
 * Who is erased stands also in what is not theirs: as the member of a Group, in a Bundle that was kept, as what another's record points
 * to. It is sealed under a key that stays, so it is taken out: of a Group and of another's resource their name, of what is of nobody
 * else the whole. Older versions go with it. Run before their compartment is deleted: by that it is told what they are called.
 */
import { Failure } from '@careloop/contract'
import { keysOf, parseFhir, textOf } from '@careloop/fhir'
import { record } from '../audit/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { Erased, Forget } from '../subjects/index.ts'
import { type Named, namesPerson, withoutPerson } from './names-person.ts'
import type { VersionRow } from './schema.ts'
import type { Blind } from './store/blind.ts'
import { publishChange } from './store/commit.ts'
import { goneOf, rowOf } from './store/draft.ts'
import { type Ground, makeGround } from './store/ground.ts'
import { kindWord } from './store/kind-word.ts'
import { openRow, type PlacedRow, rowsToChange, versionColumns } from './store/rows.ts'
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

interface Person extends Named {
  /** FHIR ids of their own Patient; the subject's is one always. */
  readonly ids: readonly string[]
  /** Their own Patient does not open, so it is not known what it is called: no key is made of it. */
  readonly isUnknown: boolean
}

/** What they are called. After a restore their key may be destroyed already: then their references are still told, by blind names. */
async function personOf({ engine }: Ground, tx: TenantTx, subject: string, blind: Blind): Promise<Person> {
  const { rows } = await tx.client.query<VersionRow>(
    `select ${versionColumns} from tenant.clinical_resource r
      where r.tenant_id = $1 and r.subject_id = $2 and r.type in ('Patient', 'RelatedPerson')`,
    [tx.tenant, subject],
  )
  const own = new Set(rows.map(({ rid }) => rid))
  const ids = [subject]
  const identifiers: { system?: string; value: string }[] = []
  let isUnknown = false
  for (const row of rows.filter(({ type, deleted_at }) => type === 'Patient' && deleted_at === null)) {
    const stored = await openedRow(engine, tx, row)
    isUnknown ||= stored === null
    if (stored === null) continue
    ids.push(stored.id)
    const { identifier = [] } = JSON.parse(stored.text) as { identifier?: { system?: string; value?: string }[] }
    for (const { system, value } of identifier)
      if (typeof value === 'string') identifiers.push({ value, ...(system === undefined ? {} : { system }) })
  }
  const isTheirs = (type: string, id: string): boolean =>
    (type === 'Patient' && id === subject) || own.has(blind.rid(type, id))
  return { uuid: subject, isUnknown, ids, identifiers, isTheirs }
}

/** What nobody can open any more is readable by nobody; any other failure stops the erasure. */
async function openedRow(engine: Engine, tx: TenantTx, row: VersionRow): Promise<Stored | null> {
  try {
    return await openRow(engine, tx.tenant, row)
  } catch (error) {
    if (error instanceof Failure && (error.code === 'key-destroyed' || error.code === 'seal-broken')) return null
    throw error
  }
}

/** Rids of what is found by a reference to them and is not theirs. */
async function foundByKey(tx: TenantTx, subject: string, person: Person, blind: Blind): Promise<string[]> {
  const keys = Object.keys(servedTypes).flatMap((type) => [
    ...person.ids.map((id) => textOf.reference(type, `Patient/${id}`)),
    ...person.identifiers.map(({ value }) => textOf.identified(type, value)),
  ])
  const { rows } = await tx.client.query<{ rid: string }>(
    `select distinct r.rid from unnest($3::bigint[]) as named(key)
      join tenant.clinical_key k on k.tenant_id = $1 and k.key = named.key
      join tenant.clinical_resource r on r.tenant_id = $1 and r.seq = k.seq
     where r.subject_id is distinct from $2`,
    [tx.tenant, subject, keys.map((key) => blind.key(key))],
  )
  return rows.map(({ rid }) => rid)
}

/**
 * Rids of what is of no subject and names them anywhere: also where no search looks, as within a Bundle. Where no key could be made,
 * of what was sent for others too.
 */
async function notByKey({ engine }: Ground, tx: TenantTx, person: Person): Promise<string[]> {
  const found: string[] = []
  const whose = person.isUnknown
    ? '(r.subject_id is null or r.subject_id <> $5 and not r.is_derived)'
    : 'r.subject_id is null and $5::uuid is not null'
  for (const type of Object.keys(servedTypes)) {
    let [at, seq] = ['-9223372036854775808', '0']
    for (;;) {
      const { rows } = await tx.client.query<VersionRow & { at: string; seq: string }>(
        `select ${versionColumns}, r.at, r.seq from tenant.clinical_resource r
          where r.tenant_id = $1 and ${whose} and r.type = $2 and (r.at, r.seq) > ($3::bigint, $4::bigint)
            and r.deleted_at is null order by r.at, r.seq limit ${some}`,
        [tx.tenant, type, at, seq, person.uuid],
      )
      for (const row of rows) if (await isNamed(engine, tx, row, person)) found.push(row.rid)
      const last = rows.at(-1)
      if (last === undefined || rows.length < some) break
      ;[at, seq] = [last.at, last.seq]
    }
  }
  return found
}

/** Older versions of no subject that name them, whatever stands now. */
async function oldOfNobody({ engine }: Ground, tx: TenantTx, person: Person): Promise<VersionRow[]> {
  const found: VersionRow[] = []
  for (const type of Object.keys(servedTypes)) {
    let [updatedAt, rid, version] = ['-9223372036854775808', '00000000-0000-0000-0000-000000000000', 0]
    for (;;) {
      const { rows } = await tx.client.query<VersionRow>(
        `select ${versionColumns} from tenant.clinical_history r
          where r.tenant_id = $1 and r.type = $2 and r.subject_id is null and r.deleted_at is null
            and (r.updated_at, r.rid, r.version) > ($3::bigint, $4::uuid, $5::int)
          order by r.updated_at, r.rid, r.version limit ${some}`,
        [tx.tenant, type, updatedAt, rid, version],
      )
      for (const row of rows) if (await isNamed(engine, tx, row, person)) found.push({ ...row, body: Buffer.alloc(0) })
      const last = rows.at(-1)
      if (last === undefined || rows.length < some) break
      ;[updatedAt, rid, version] = [String(last.updated_at), last.rid, last.version]
    }
  }
  return found
}

async function isNamed(engine: Engine, tx: TenantTx, row: VersionRow, person: Person): Promise<boolean> {
  const stored = await openedRow(engine, tx, row)
  return stored !== null && namesPerson(stored.text, person)
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
