/** What a person is called in the record, and where it names them outside their compartment. */
import { Failure } from '@careloop/contract'
import { textOf } from '@careloop/fhir'
import type { Engine, TenantTx } from '../engine/index.ts'
import { type Named, namesPerson } from './names-person.ts'
import type { VersionRow } from './schema.ts'
import type { Blind } from './store/blind.ts'
import type { Ground } from './store/ground.ts'
import { openRow, versionColumns } from './store/rows.ts'
import type { Stored } from './stored.ts'
import { servedTypes } from './types.ts'

/** Bodies that are held at once. */
const some = 500

export interface Person extends Named {
  /** FHIR ids of their own Patient; the subject's is one always. */
  readonly ids: readonly string[]
  /** Their own Patient does not open, so it is not known what it is called: no key is made of it. */
  readonly isUnknown: boolean
}

/** What they are called. After a restore their key may be destroyed already: then their references are still told, by blind names. */
export async function personOf({ engine }: Ground, tx: TenantTx, subject: string, blind: Blind): Promise<Person> {
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
export async function openedRow(engine: Engine, tx: TenantTx, row: VersionRow): Promise<Stored | null> {
  try {
    return await openRow(engine, tx.tenant, row)
  } catch (error) {
    if (error instanceof Failure && (error.code === 'key-destroyed' || error.code === 'seal-broken')) return null
    throw error
  }
}

/** Rids of what is found by a reference to them and is not theirs. */
export async function foundByKey(tx: TenantTx, subject: string, person: Person, blind: Blind): Promise<string[]> {
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
export async function notByKey({ engine }: Ground, tx: TenantTx, person: Person): Promise<string[]> {
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
export async function oldOfNobody({ engine }: Ground, tx: TenantTx, person: Person): Promise<VersionRow[]> {
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
