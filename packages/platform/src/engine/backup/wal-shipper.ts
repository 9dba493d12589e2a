/**
 * Ships the write-ahead log as it becomes durable, by reading PostgreSQL's own files: no shell command, no waiting until a segment of
 * 16 MiB is full. A replication slot holds what is not shipped yet, also through kill -9; `max_slot_wal_keep_size` bounds what it
 * holds, and when that is passed the chain is broken, it is said, and a new base copy begins another one. ADR 0014.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool } from 'pg'
import type { Clock, Compute } from '../ports.ts'
import type { Lock } from './lock.ts'
import { type Mark, putMark, readMarks } from './manifest.ts'
import type { SealedJob, SealJob } from './seal-job.ts'
import type { SealedStore } from './sealed-store.ts'
import { inOrder, type Piece, pieceKey, readPieceKey } from './wal-pieces.ts'
import { type Lsn, offsetIn, printLsn, readLsn, segmentAt, segmentName, startOf } from './wal-position.ts'

export const HISTORIES = 'history/'
export const SLOT = 'careloop_backup'
/** Pieces of a segment that is not full yet, before they are put together. */
const PIECES = 60

export interface ShipperParts {
  readonly pool: Pool
  readonly store: SealedStore
  /** PostgreSQL's directory. */
  readonly cluster: string
  readonly compute: Pick<Compute, 'run'>
  readonly clock: Pick<Clock, 'now'>
  /** What the store holds: full segments, histories. */
  readonly lock: () => Lock
}

export interface WalShipper {
  /** False: what was shipped before does not go on without a hole, and only a new base copy makes it useful. */
  readonly isContinuous: boolean
  readonly segmentBytes: number
  readonly timeline: number
  /** From here on there is no hole: a base copy from before is not followed by what is shipped. */
  readonly chain: Lsn
  /** Everything before it is in the store. */
  shipped(): Lsn
  /**
   * Ships all that is durable at this moment.
   * @param before done after it is known how far to ship and before that is shipped: blobs, which rows of that log may name
   * @returns false when the slot was lost: attach anew
   */
  ship(ledger: number, before?: () => Promise<void>): Promise<boolean>
}

interface Where {
  readonly flush: string
  readonly timeline: number
  readonly wal_status: string | null
  readonly restart_lsn: string | null
  readonly segment_bytes: number
}

const WHERE = `
  select pg_current_wal_flush_lsn()::text as flush,
         ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int as timeline,
         s.wal_status, s.restart_lsn::text,
         (select setting::int from pg_settings where name = 'wal_segment_size') as segment_bytes
    from (values (1)) one left join pg_replication_slots s on s.slot_name = '${SLOT}'`

const holds = ({ wal_status, restart_lsn }: Where): boolean =>
  restart_lsn !== null && wal_status !== null && wal_status !== 'lost'

export async function attachShipper(parts: ShipperParts): Promise<WalShipper> {
  const { pool, store } = parts
  const where = async () => (await pool.query<Where>(WHERE)).rows[0]!
  const marks = await readMarks(store)
  let now = await where()
  const mark = marks.find(({ timeline }) => timeline === now.timeline)
  const isContinuous = holds(now) && mark !== undefined && goesOn(mark, now)
  if (!isContinuous) {
    if (now.wal_status !== null) await pool.query('select pg_drop_replication_slot($1)', [SLOT])
    await pool.query('select pg_create_physical_replication_slot($1, true)', [SLOT])
    now = await where()
  }
  const from = isContinuous ? readLsn(mark.lsn) : readLsn(now.restart_lsn!)
  const at = startOf(segmentAt(from, now.segment_bytes), now.segment_bytes)
  const chain = isContinuous ? readLsn(mark.chain) : at
  // Numbers are never used twice, also when somebody took the marks away: later sessions are laid over earlier ones.
  const before = mark ? [] : await listPieces(store, now.segment_bytes)
  const session = Math.max(0, ...[...marks, ...before].map((each) => each.session)) + 1
  await shipHistories(parts, now.timeline)
  return new Shipper(
    parts,
    { ...now, session, at, chain },
    {
      isContinuous,
      where,
    },
  )
}

/**
 * The slot still holds the segment in which the mark lies, and this database has lived that far. One that has not was put back to before
 * (a machine's snapshot): what lies in the store is of another life, and nothing may be laid over it as if it went on.
 */
export function goesOn(mark: Mark, now: Where): boolean {
  const [flush, shipped] = [readLsn(now.flush), readLsn(mark.lsn)]
  const held = segmentAt(readLsn(now.restart_lsn!), now.segment_bytes)
  return flush >= shipped && held <= segmentAt(shipped, now.segment_bytes)
}

/** Which timeline came out of which: small files that a restore needs to follow a database that was itself restored. */
async function shipHistories({ cluster, store, lock }: ShipperParts, timeline: number): Promise<void> {
  if (timeline === 1) return
  const there = new Set(await store.names(HISTORIES))
  const { suffix, until } = lock()
  for (const name of await readdir(join(cluster, 'pg_wal'))) {
    const key = `${HISTORIES}${name}${suffix}`
    if (/^[0-9A-F]{8}\.history$/.test(name) && !there.has(key))
      await store.putJson(key, await readFile(join(cluster, 'pg_wal', name), 'utf8'), until)
  }
}

class Shipper implements WalShipper {
  readonly isContinuous: boolean
  readonly segmentBytes: number
  readonly #parts: ShipperParts
  readonly #where: () => Promise<Where>
  readonly timeline: number
  readonly chain: Lsn
  readonly #session: number
  #at: Lsn
  /** Of this session in the segment that is not full yet. */
  #pieces: Piece[] = []

  constructor(
    parts: ShipperParts,
    begin: { timeline: number; session: number; at: Lsn; chain: Lsn; segment_bytes: number },
    more: { isContinuous: boolean; where: () => Promise<Where> },
  ) {
    this.#parts = parts
    this.#where = more.where
    this.isContinuous = more.isContinuous
    this.segmentBytes = begin.segment_bytes
    this.timeline = begin.timeline
    this.chain = begin.chain
    this.#session = begin.session
    this.#at = begin.at
  }

  shipped(): Lsn {
    return this.#at
  }

  async ship(ledger: number, before: () => Promise<void> = async () => {}): Promise<boolean> {
    const { store, clock } = this.#parts
    // What was durable at this time is in the store when the mark says so.
    const at = clock.now()
    const now = await this.#where()
    if (!holds(now) || now.timeline !== this.timeline) return false
    const flush = readLsn(now.flush)
    await before()
    while (this.#at < flush) await this.#shipUpTo(flush)
    await putMark(store, {
      ...{ session: this.#session, timeline: this.timeline, lsn: printLsn(this.#at) },
      ...{ chain: printLsn(this.chain), at, ledger },
    })
    return true
  }

  /** The next piece: to the end of the segment, or as far as the log is durable. */
  async #shipUpTo(flush: Lsn): Promise<void> {
    const { segmentBytes } = this
    const number = segmentAt(this.#at, segmentBytes)
    const end = startOf(number + 1n, segmentBytes)
    const isFull = flush >= end
    // What is put together is begun from the start; the pieces before it are no longer needed then.
    const whole = isFull || this.#pieces.length >= PIECES
    const from = whole ? 0 : offsetIn(this.#at, segmentBytes)
    const to = isFull ? segmentBytes : offsetIn(flush, segmentBytes)
    const piece = await this.#put({ timeline: this.timeline, number }, from, to, isFull)
    const replaced = whole ? this.#pieces : []
    this.#pieces = isFull ? [] : whole ? [piece] : [...this.#pieces, piece]
    this.#at = isFull ? end : flush
    if (isFull) await this.#letGo(end)
    for (const { key } of replaced) await this.#parts.store.objects.delete(key).catch(() => {}) // retention takes what stays
  }

  async #put(segment: Piece['segment'], from: number, to: number, isFull: boolean): Promise<Piece> {
    const { store, cluster, compute, lock } = this.#parts
    const name = segmentName(segment, this.segmentBytes)
    const key = pieceKey(segment, { session: this.#session, from, to }, this.segmentBytes)
    const job: SealJob = {
      extents: [{ path: join(cluster, 'pg_wal', name), offset: from, length: to - from }],
      ...{ sealKey: store.key.sealKey, nameKey: store.key.nameKey, keyId: store.key.keyId, key, suffix: '', known: [] },
    }
    const { sealed, lengths } = await compute.run<SealJob, SealedJob>(new URL('./seal-job.ts', import.meta.url), job)
    if (lengths[0] !== to - from || !sealed) throw new Error('a segment of the log that the slot holds is not there')
    const until = isFull ? lock().until : undefined
    await store.objects.put(key, sealed, until ? { retainUntil: until } : {})
    return readPieceKey(key, this.segmentBytes)!
  }

  /** PostgreSQL may recycle what lies before. */
  async #letGo(until: Lsn): Promise<void> {
    await this.#parts.pool.query('select pg_replication_slot_advance($1, $2::pg_lsn)', [SLOT, printLsn(until)])
  }
}

/** For who reads the store: pieces of the log that lie in it. */
export async function listPieces(store: SealedStore, segmentBytes: number): Promise<readonly Piece[]> {
  const names = await store.names('wal/')
  return inOrder(names.flatMap((name) => readPieceKey(name, segmentBytes) ?? []))
}
