/** The statements that write: many rows each, so that a bundle costs as many round trips as one resource. */
import { byteas, type TenantTx } from '../../engine/index.ts'
import type { ResourceRow } from '../schema.ts'

/** A version as it is to lie. `keys` are blind, as texts of bigints. */
export interface NewRow {
  readonly rid: string
  readonly type: string
  readonly version: number
  readonly subject: string | null
  readonly at: number
  readonly from: number | null
  readonly to: number | null
  readonly updatedAt: number
  readonly keyId: string
  readonly body: Buffer
  readonly keys: readonly string[]
  readonly isDerived: boolean
  readonly deletedAt: number | null
}

const types = {
  ...{
    rid: 'uuid',
    type: 'text',
    version: 'int',
    subject_id: 'uuid',
    at: 'bigint',
    at_from: 'bigint',
    at_to: 'bigint',
  },
  ...{ updated_at: 'bigint', key_id: 'uuid', body: 'bytea', keys: 'text', is_derived: 'boolean', deleted_at: 'bigint' },
}
const columns = Object.keys(types)
const unnested = `unnest(${Object.values(types)
  .map((type, at) => `$${at + 2}::${type}[]`)
  .join(', ')}) as e(${columns.join(', ')})`

const valuesOf = (rows: readonly NewRow[]): unknown[] => {
  const list = <T>(of: (row: NewRow) => T): T[] => rows.map(of)
  return [
    ...[
      list(({ rid }) => rid),
      list(({ type }) => type),
      list(({ version }) => version),
      list(({ subject }) => subject),
    ],
    ...[list(({ at }) => at), list(({ from }) => from), list(({ to }) => to), list(({ updatedAt }) => updatedAt)],
    ...[list(({ keyId }) => keyId), byteas(list(({ body }) => body)), list(({ keys }) => `{${keys.join(',')}}`)],
    ...[list(({ isDerived }) => isDerived), list(({ deletedAt }) => deletedAt)],
  ]
}

const INSERT = {
  name: 'careloop-clinical-insert',
  text: `with written as (
      insert into tenant.clinical_resource (tenant_id, ${columns.join(', ')})
      select $1, ${columns.map((name) => (name === 'keys' ? 'e.keys::bigint[]' : `e.${name}`)).join(', ')} from ${unnested}
      on conflict (tenant_id, rid) do nothing returning rid, seq, at, keys),
    found as (
      insert into tenant.clinical_key (tenant_id, key, at, seq)
      select $1, k, w.at, w.seq from written w, unnest(w.keys) as k)
    select rid from written`,
}

/** @returns rids of those that were written: another transaction may have made some of the same name meanwhile */
export async function insertRows(tx: TenantTx, rows: readonly NewRow[]): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set()
  const { rows: made } = await tx.client.query<{ rid: string }>({ ...INSERT, values: [tx.tenant, ...valuesOf(rows)] })
  return new Set(made.map(({ rid }) => rid))
}

const KEEP = {
  name: 'careloop-clinical-keep',
  text: `insert into tenant.clinical_history
      (tenant_id, rid, version, type, subject_id, updated_at, key_id, body, is_derived, deleted_at)
    select tenant_id, rid, version, type, subject_id, updated_at, key_id, body, is_derived, deleted_at
      from tenant.clinical_resource where tenant_id = $1 and rid = any($2::uuid[])`,
}
const REPLACE = {
  name: 'careloop-clinical-replace',
  text: `update tenant.clinical_resource r set
      ${columns
        .slice(1)
        .map((name) => `${name} = ${name === 'keys' ? 'e.keys::bigint[]' : `e.${name}`}`)
        .join(', ')}
    from ${unnested} where r.tenant_id = $1 and r.rid = e.rid`,
}
const UNFIND = {
  name: 'careloop-clinical-unfind',
  text: `delete from tenant.clinical_key k using unnest($2::bigint[], $3::bigint[], $4::bigint[]) as d(key, at, seq)
    where k.tenant_id = $1 and k.key = d.key and k.at = d.at and k.seq = d.seq`,
}
const FIND = {
  name: 'careloop-clinical-find',
  text: `insert into tenant.clinical_key (tenant_id, key, at, seq)
    select $1, d.key, d.at, d.seq from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as d(key, at, seq)`,
}

/**
 * Puts versions in place of those that stand, which go into the history.
 * @param pairs each with the row it replaces, locked by `rowsToChange`
 * @param keepsHistory false for views that are made anew from rows that keep a history of their own
 */
export async function replaceRows(
  tx: TenantTx,
  pairs: readonly { readonly before: ResourceRow; readonly next: NewRow }[],
  keepsHistory = true,
): Promise<void> {
  if (pairs.length === 0) return
  if (keepsHistory) await tx.client.query({ ...KEEP, values: [tx.tenant, pairs.map(({ next }) => next.rid)] })
  await tx.client.query({ ...REPLACE, values: [tx.tenant, ...valuesOf(pairs.map(({ next }) => next))] })
  const gone: KeyRow[] = []
  const come: KeyRow[] = []
  for (const { before, next } of pairs) {
    const { seq } = before
    const moved = Number(before.at) !== next.at
    const [was, is] = [new Set(before.keys), new Set(next.keys)]
    for (const key of was) if (moved || !is.has(key)) gone.push([key, before.at, seq])
    for (const key of is) if (moved || !was.has(key)) come.push([key, String(next.at), seq])
  }
  await writeKeys(tx, UNFIND, gone)
  await writeKeys(tx, FIND, come)
}

type KeyRow = readonly [key: string, at: string, seq: string]

async function writeKeys(tx: TenantTx, statement: typeof FIND, rows: readonly KeyRow[]): Promise<void> {
  if (rows.length === 0) return
  const column = (at: 0 | 1 | 2) => rows.map((row) => row[at])
  await tx.client.query({ ...statement, values: [tx.tenant, column(0), column(1), column(2)] })
}
