/** The rows of engine.data_key: how a key lies there wrapped, and the statements that read and write it. */
import type { Pool, PoolClient } from 'pg'
import { engineFailure } from '../errors.ts'
import type { EngineTx, KeyPurpose, TenantTx } from '../ports.ts'
import { keyDestroyed, LiveKey } from './data-key.ts'
import type { MasterKeys } from './master-key.ts'

export interface KeyRow {
  readonly id: string
  readonly purpose: KeyPurpose
  readonly owner: string
  readonly wrapped: Buffer | null
  readonly master_id: string
}

const COLUMNS = 'id, purpose, owner, wrapped, master_id'
const OF_ID = { name: 'careloop-key', text: `select ${COLUMNS} from engine.data_key where id = $1` }
const OF_IDS = { name: 'careloop-keys', text: `select ${COLUMNS} from engine.data_key where id = any($1::uuid[])` }
const OF_OWNER = {
  name: 'careloop-key-of',
  text: `select ${COLUMNS} from engine.data_key where purpose = $1 and owner = $2 order by destroyed_at nulls first limit 1`,
}
const INSERT = `insert into engine.data_key (id, purpose, owner, tenant_id, wrapped, master_id) values ($1, $2, $3, $4, $5, $6)`

export async function rowOfId(pool: Pool, id: string): Promise<KeyRow | undefined> {
  return (await pool.query<KeyRow>(OF_ID, [id])).rows[0]
}

/** For each id its row, in their order. */
export async function rowsOfIds(pool: Pool, ids: readonly string[]): Promise<(KeyRow | undefined)[]> {
  const found = new Map((await pool.query<KeyRow>(OF_IDS, [ids])).rows.map((row) => [row.id, row]))
  return ids.map((id) => found.get(id))
}

/** The owner's living key, else the one destroyed last. */
export async function rowOfOwner(pool: Pool, purpose: KeyPurpose, owner: string): Promise<KeyRow | undefined> {
  return (await pool.query<KeyRow>(OF_OWNER, [purpose, owner])).rows[0]
}

export type NewKeyRow = KeyRow & { readonly wrapped: Buffer }

/** Adds a row unless the owner has a living key. */
export async function insertIfFirst(pool: Pool, row: NewKeyRow): Promise<void> {
  await pool.query(`${INSERT} on conflict (purpose, owner) where destroyed_at is null do nothing`, values(row))
}

/** @throws Failure `key-exists` */
export async function insertWithin(tx: EngineTx | TenantTx, row: NewKeyRow): Promise<void> {
  const query =
    'tenant' in tx
      ? tx.client.query('select engine.create_data_key($1, $2, $3, $4, $5)', [
          ...[row.id, row.purpose, row.owner, row.wrapped, row.master_id],
        ])
      : tx.client.query(INSERT, values(row))
  await query.catch((cause: Error & { code?: string; constraint?: string }) => {
    if (cause.code !== '23505' || cause.constraint !== 'data_key_owner') throw cause
    throw engineFailure('key-exists', `This owner has a living ${row.purpose} key. Use it, or destroy it first.`)
  })
}

/** @returns `unknown` also when the key is another tenant's */
export async function destroyWithin(tx: EngineTx | TenantTx, id: string): Promise<'destroyed' | 'already' | 'unknown'> {
  if ('tenant' in tx) {
    const { rows } = await tx.client.query<{ found: 'destroyed' | 'already' | 'unknown' }>(
      'select engine.destroy_data_key($1) as found',
      [id],
    )
    return rows[0]!.found
  }
  const gone = await tx.client.query(
    `update engine.data_key set wrapped = null, destroyed_at = clock_timestamp(), destroyed_xid = pg_current_xact_id()
      where id = $1 and destroyed_at is null`,
    [id],
  )
  if (gone.rowCount === 1) return 'destroyed'
  const there = await tx.client.query('select 1 from engine.data_key where id = $1', [id])
  return there.rowCount === 1 ? 'already' : 'unknown'
}

function values(row: NewKeyRow): unknown[] {
  // A tenant's own keys carry the tenant, so that it can destroy them; other keys of this path belong to the engine.
  const tenant = row.purpose === 'tenant' || row.purpose === 'quarantine' ? row.owner : null
  return [row.id, row.purpose, row.owner, tenant, row.wrapped, row.master_id]
}

// ---------------------------------------------------------------- wrapping

function place(row: Pick<KeyRow, 'id' | 'purpose' | 'owner'>): string {
  return `careloop data key\n${row.id}\n${row.purpose}\n${row.owner}`
}

export async function wrap(
  masters: MasterKeys,
  row: Pick<KeyRow, 'id' | 'purpose' | 'owner'>,
  bytes: Uint8Array,
): Promise<NewKeyRow> {
  const { masterId, wrapped } = await masters.wrap(bytes, place(row))
  return { ...row, wrapped, master_id: masterId }
}

/** @throws Failure `key-destroyed`, `master-key-missing` (another master key wrapped it), `seal-broken` */
export async function unwrap(masters: MasterKeys, row: KeyRow): Promise<LiveKey> {
  if (!row.wrapped) throw keyDestroyed()
  const bytes = await masters.unwrap({ masterId: row.master_id, wrapped: row.wrapped }, place(row))
  const key = new LiveKey(row.id, bytes)
  bytes.fill(0)
  return key
}

/** Keys that the current master key does not wrap. */
export async function countUnder(pool: Pool, current: string): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    'select count(*)::int as n from engine.data_key where destroyed_at is null and master_id <> $1',
    [current],
  )
  return rows[0]!.n
}

/** Wraps up to `max` rows anew inside the client's transaction; the keeper reads each back before it counts. @returns how many */
export async function rewrapSome(client: PoolClient, masters: MasterKeys, max: number): Promise<number> {
  // Rows that another process wraps anew at this moment are its own.
  const { rows } = await client.query<KeyRow & { readonly wrapped: Buffer }>(
    `select ${COLUMNS} from engine.data_key where destroyed_at is null and master_id <> $1 order by id limit $2
        for update skip locked`,
    [await masters.current(), max],
  )
  if (rows.length === 0) return 0
  const next = await masters.rewrap(
    rows.map((row) => ({ masterId: row.master_id, wrapped: row.wrapped, place: place(row) })),
  )
  await client.query(
    `update engine.data_key k set wrapped = n.wrapped, master_id = n.master_id
       from unnest($1::uuid[], $2::bytea[], $3::text[]) as n(id, wrapped, master_id) where k.id = n.id`,
    [rows.map((row) => row.id), next.map((each) => each.wrapped), next.map((each) => each.masterId)],
  )
  return rows.length
}
