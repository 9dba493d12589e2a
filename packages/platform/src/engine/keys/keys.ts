/**
 * Envelope encryption: every owner (a subject, a tenant, a day of the log) has a data key; the master key, which is not in the
 * database, wraps them. Erasing an owner is destroying one row's 60 bytes.
 */
import { randomBytes } from 'node:crypto'
import type { Pool } from 'pg'
import { makeStopwatch, type Stopwatch } from '../clock/stopwatch.ts'
import { makeGather } from '../db/gather.ts'
import { engineFailure } from '../errors.ts'
import type { DataKey, EngineTx, Ids, KeyPurpose, Keys, TenantTx, WrappedKey } from '../ports.ts'
import { keyDestroyed, LiveKey } from './data-key.ts'
import { KeyCache } from './key-cache.ts'
import {
  countUnder,
  destroyWithin,
  insertIfFirst,
  insertWithin,
  type KeyRow,
  rewrapSome,
  rowOfId,
  rowOfOwner,
  rowsOfIds,
  unwrap,
  wrap,
} from './key-rows.ts'
import type { MasterKeys } from './master-key.ts'
import { KEY_BYTES } from './sealed.ts'

export interface KeysParts {
  /**
   * Better a pool of its own (2 connections are plenty): rooms ask for keys inside transactions, and if all connections of
   * one pool were such transactions, each waiting for another connection to read its key, none would ever end.
   */
  readonly pool: Pool
  readonly masters: MasterKeys
  readonly ids: Pick<Ids, 'uuid'>
  readonly stopwatch?: Stopwatch
  /** Unwrapped keys kept in memory. Default 20,000 (about 10 MB). */
  readonly cacheKeys?: number
}

/** A key destroyed by another process is refused here after this long at most, ms. */
export const DESTROYED_ELSEWHERE_MS = 2_000
/** How long a key made in a transaction that has not committed is remembered, ms. */
const PENDING_MS = 120_000

interface Pending {
  readonly key: LiveKey
  readonly name: string
  readonly at: number
}

/**
 * @throws Failure from `key` and `keyFor`: `key-unknown`, `key-destroyed` (an owner whose key was destroyed gets no new one by
 *   `keyFor`: data that comes late for an erased person must not be kept under a fresh key), `key-pending` (a running transaction of this process makes the owner's key), `master-key-missing`
 */
export function makeKeys(parts: KeysParts): Keys {
  return new WrappedKeys(parts)
}

class WrappedKeys implements Keys {
  readonly #pool: Pool
  readonly #masters: MasterKeys
  readonly #ids: Pick<Ids, 'uuid'>
  readonly #stopwatch: Stopwatch
  readonly #cache: KeyCache
  /** Thousands are asked for at once when a process begins: one statement for those that come together. */
  readonly #rowOfId: (id: string) => Promise<KeyRow | undefined>
  /** Made by transactions that still run: usable by id, but no owner's yet, because a rollback would lose what they sealed. */
  readonly #pending = new Map<string, Pending>()
  readonly #loading = new Map<string, Promise<LiveKey>>()
  #since = '0' // no transaction below this xid can still destroy a key unseen
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #shreds = 0

  constructor(parts: KeysParts) {
    this.#pool = parts.pool
    this.#masters = parts.masters
    this.#ids = parts.ids
    this.#stopwatch = parts.stopwatch ?? makeStopwatch()
    this.#cache = new KeyCache(parts.cacheKeys ?? 20_000)
    this.#rowOfId = makeGather((ids) => rowsOfIds(this.#pool, ids))
  }

  async create(tx: EngineTx | TenantTx, purpose: KeyPurpose, owner: string): Promise<string> {
    await this.#lookForDestroyed()
    const { key, row } = await this.#newKey(purpose, owner)
    const name = ownerName(purpose, owner)
    await insertWithin(tx, row)
    const now = this.#stopwatch.elapsedMs()
    for (const [id, entry] of this.#pending) if (now - entry.at > PENDING_MS) this.#pending.delete(id)
    this.#pending.set(key.id, { key, name, at: now })
    tx.afterCommit(() => {
      this.#pending.delete(key.id)
      this.#cache.put(key, name)
    })
    return key.id
  }

  async key(id: string): Promise<DataKey> {
    await this.#lookForDestroyed()
    return this.#pending.get(id)?.key ?? this.#cache.get(id) ?? this.#load(id, () => this.#read(id))
  }

  async keyFor(purpose: KeyPurpose, owner: string): Promise<DataKey> {
    return this.#liveKeyFor(purpose, owner)
  }

  async destroy(tx: EngineTx | TenantTx, id: string): Promise<void> {
    const found = await destroyWithin(tx, id)
    if (found === 'unknown') throw keyUnknown()
    tx.afterCommit(() => this.#shred([id]))
  }

  async refresh(): Promise<void> {
    await this.#looking // one that began before may not see what was destroyed since
    this.#lookedAt = Number.NEGATIVE_INFINITY
    await this.#lookForDestroyed()
  }

  async hmac(tenant: string, purpose: string, normalised: string): Promise<Buffer> {
    return (await this.#liveKeyFor('tenant', tenant)).hmac(purpose, normalised)
  }

  async rotateMaster(next?: Uint8Array): Promise<{ rewrapped: number }> {
    // Durable before the first row depends on it. Processes that still wrap with the old key notice the changed file; the old
    // key stays in it, because backups need it and a row may have slipped in meanwhile: `finishRotation` takes those along.
    await this.#masters.rotate(next)
    return this.finishRotation()
  }

  async finishRotation(): Promise<{ rewrapped: number }> {
    let rewrapped = 0
    for (let some = -1; some !== 0; rewrapped += some) some = await this.#rewrapSome()
    return { rewrapped }
  }

  async #rewrapSome(): Promise<number> {
    const client = await this.#pool.connect()
    try {
      await client.query('begin')
      const some = await rewrapSome(client, this.#masters, 200)
      await client.query('commit')
      client.release()
      return some
    } catch (error) {
      client.release(true) // ends the connection, and with it the transaction
      throw error
    }
  }

  async master(): Promise<{ current: string; behind: number }> {
    const current = await this.#masters.current()
    return { current, behind: await countUnder(this.#pool, current) }
  }

  trouble(): string | null {
    return this.#masters.trouble()
  }

  async exportWrapped(id: string): Promise<WrappedKey> {
    const row = await rowOfId(this.#pool, id)
    if (!row) throw keyUnknown()
    if (!row.wrapped) throw keyDestroyed()
    const { purpose, owner, wrapped, master_id: masterId } = row
    return { ...{ id, purpose, owner, masterId }, wrapped: wrapped.toString('base64') }
  }

  openWrapped({ id, purpose, owner, masterId, wrapped }: WrappedKey): Promise<DataKey> {
    const row = { ...{ id, purpose, owner }, wrapped: Buffer.from(wrapped, 'base64'), master_id: masterId }
    return unwrap(this.#masters, row)
  }

  async #liveKeyFor(purpose: KeyPurpose, owner: string): Promise<LiveKey> {
    await this.#lookForDestroyed()
    const name = ownerName(purpose, owner)
    return this.#cache.of(name) ?? this.#load(name, () => this.#readOrMake(purpose, owner))
  }

  async #read(id: string): Promise<{ key: LiveKey; name: string }> {
    const row = await this.#rowOfId(id)
    if (!row) throw keyUnknown()
    return { key: await unwrap(this.#masters, row), name: ownerName(row.purpose, row.owner) }
  }

  async #readOrMake(purpose: KeyPurpose, owner: string): Promise<{ key: LiveKey; name: string }> {
    let row = await rowOfOwner(this.#pool, purpose, owner)
    if (!row) {
      // Inserting would wait for that transaction, which may be waiting for us.
      for (const entry of this.#pending.values()) if (entry.name === ownerName(purpose, owner)) throw keyPending()
      // Whoever inserts first wins (unique index); everyone then reads the winner's.
      await insertIfFirst(this.#pool, (await this.#newKey(purpose, owner)).row)
      row = await rowOfOwner(this.#pool, purpose, owner)
    }
    if (!row) throw keyUnknown()
    return { key: await unwrap(this.#masters, row), name: ownerName(purpose, owner) }
  }

  /** One read for all who ask at once. What was read while a key was being shredded is used but not kept. */
  #load(name: string, read: () => Promise<{ key: LiveKey; name: string }>): Promise<LiveKey> {
    const running = this.#loading.get(name)
    if (running) return running
    const shreds = this.#shreds
    const loading = read()
      .then(({ key, name }) => (shreds === this.#shreds ? this.#cache.put(key, name) : key))
      .finally(() => this.#loading.delete(name))
    this.#loading.set(name, loading)
    return loading
  }

  async #newKey(purpose: KeyPurpose, owner: string) {
    const bytes = randomBytes(KEY_BYTES)
    const id = this.#ids.uuid()
    const row = await wrap(this.#masters, { id, purpose, owner }, bytes)
    const key = new LiveKey(id, bytes)
    bytes.fill(0)
    return { key, row }
  }

  /**
   * Asks at most every 2 s what any process has destroyed since the last look. When the database is away, cached keys go on:
   * without it nobody can read what they sealed, and the log must be able to retry its commit.
   */
  #lookForDestroyed(): Promise<void> | undefined {
    if (this.#stopwatch.elapsedMs() - this.#lookedAt < DESTROYED_ELSEWHERE_MS) return undefined
    this.#looking ??= this.#look()
      .catch(() => {})
      .finally(() => {
        this.#looking = undefined
      })
    return this.#looking
  }

  async #look(): Promise<void> {
    const at = this.#stopwatch.elapsedMs()
    const { rows } = await this.#pool.query<{ since: string; ids: string[] | null }>(
      `select pg_snapshot_xmin(pg_current_snapshot())::text as since,
              (select array_agg(id::text) from engine.data_key where $1 <> '0' and destroyed_xid >= $1::text::xid8) as ids`,
      [this.#since],
    )
    this.#since = rows[0]!.since // from the first look on: nothing was cached before it
    this.#lookedAt = at
    this.#shred(rows[0]!.ids ?? [])
  }

  #shred(ids: readonly string[]): void {
    if (ids.length > 0) this.#shreds += 1
    for (const id of ids) {
      this.#pending.get(id)?.key.shred()
      this.#pending.delete(id)
      this.#cache.shred(id)
    }
  }
}

function ownerName(purpose: KeyPurpose, owner: string): string {
  return `${purpose} ${owner}`
}

function keyUnknown() {
  return engineFailure(
    'key-unknown',
    'No such key. The row that names it is damaged, or its transaction did not commit.',
  )
}

function keyPending() {
  const message =
    'A transaction that still runs is making this key. Use the id that `create` gave, or try again after it.'
  return engineFailure('key-pending', message, { retryAfterSeconds: 1 })
}
