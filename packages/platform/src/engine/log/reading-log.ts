/**
 * The reading log on PostgreSQL. `append` resolves after the commit is durable; see `engine.append` in the first migration
 * for why positions are gapless and fences cannot move unseen.
 */
import type { LogEntry } from '@careloop/contract'
import pg from 'pg'
import { engineFailure } from '../errors.ts'
import type { Appended, Clock, EngineTx, Fence, Ids, Keys, LogCommit, ReadingLog, Watch } from '../ports.ts'
import { decodeCommit, encodeCommit } from './codec.ts'
import { splitLost, takeBatch, type Waiting } from './group-commit.ts'
import { TailCache } from './tail-cache.ts'

export interface ReadingLogParts {
  readonly pool: pg.Pool
  readonly connect: pg.ClientConfig
  readonly clock: Clock
  readonly ids: Ids
  readonly keys: Pick<Keys, 'key' | 'keyFor'>
  readonly watch: Watch
  /** Why the disk cannot take more, or null. */
  readonly storage?: () => 'storage-low' | null
  /** Bytes of raw frames that may wait for a commit. Default 32 MiB. */
  readonly maxQueueBytes?: number
  /** How long a commit waits for company while others come in, ms; twice that when very many come. Default 4. */
  readonly gatherMs?: number
  /** Entries that readers of this process find decoded. Default 20,000. */
  readonly cacheEntries?: number
}

export interface ClosableLog extends ReadingLog {
  close(): Promise<void>
}

const PARTITION = 0
/** Beyond this a step of the clock back is not held any more, ms. */
const MAX_HELD_MS = 60_000
/** What a reader is given at once, of sealed bytes: at least one commit. */
const MAX_READ_BYTES = 16 * 1024 * 1024
const APPEND = {
  name: 'careloop-append',
  text: 'select appended_position, lost from engine.append($1, $2, $3, $4, $5, $6, $7, $8)',
}

export function makeReadingLog(parts: ReadingLogParts): ClosableLog {
  return new PostgresLog(parts)
}

class PostgresLog implements ClosableLog {
  readonly #parts: ReadingLogParts
  readonly #cache: TailCache
  readonly #maxQueueBytes: number
  readonly #gatherMs: number
  readonly #queue: Waiting[] = []
  #queueBytes = 0
  #client: pg.Client | undefined
  #running: Promise<void> | undefined
  #closed = false
  #lastItems = 0 // how many calls the last commit carried: with many, the next waits for company
  #lastStoredAt = 0
  #knownHead = 0
  #wakers = new Set<() => void>()

  constructor(parts: ReadingLogParts) {
    this.#parts = parts
    this.#cache = new TailCache(parts.cacheEntries ?? 20_000)
    this.#maxQueueBytes = parts.maxQueueBytes ?? 32 * 1024 * 1024
    this.#gatherMs = parts.gatherMs ?? 4
  }

  append(entries: readonly LogEntry[], fences: readonly Fence[] = []): Promise<Appended> {
    const refusal = this.refusal()
    if (refusal) return Promise.reject(refusalFailure(refusal))
    let bytes = 64 * entries.length
    for (const entry of entries) if ('frame' in entry) bytes += entry.frame.bytes.byteLength
    this.#queueBytes += bytes
    return new Promise((resolve, reject) => {
      this.#queue.push({
        entries,
        fences,
        bytes,
        resolve: (done) => resolve({ partition: PARTITION, ...done }),
        reject,
      })
      this.#run()
    })
  }

  pressure(): number {
    return Math.min(1, this.#queueBytes / this.#maxQueueBytes)
  }

  refusal(): 'log-overloaded' | 'storage-low' | 'log-closed' | null {
    if (this.#closed) return 'log-closed'
    if (this.#queueBytes >= this.#maxQueueBytes) return 'log-overloaded'
    return this.#parts.storage?.() ?? null
  }

  // ------------------------------------------------------------ writing

  #run(): void {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined
      if (this.#queue.length > 0) this.#run()
    })
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // Under load a few ms of company spare the database most of its work; a lone reading does not wait.
      await new Promise<void>((go) => {
        const wait = this.#lastItems < 3 ? 0 : this.#lastItems < 64 ? this.#gatherMs : 2 * this.#gatherMs
        if (wait === 0) setImmediate(go)
        else setTimeout(go, wait)
      })
      const { items, fences, bytes } = takeBatch(this.#queue)
      try {
        await this.#commit(items, fences)
      } catch (error) {
        for (const item of items) item.reject(error)
      }
      this.#queueBytes -= bytes
      this.#lastItems = items.length
    }
  }

  async #commit(all: readonly Waiting[], fences: Map<string, number>): Promise<void> {
    let items = all
    while (items.length > 0) {
      const entries = items.length === 1 ? items[0]!.entries : items.flatMap((item) => item.entries)
      const sealed = await this.#seal(entries)
      const outcome = await this.#appendUntilKnown(sealed, entries.length, fences)
      if ('lost' in outcome) {
        items = splitLost(items, outcome.lost)
        for (const name of outcome.lost) fences.delete(name)
        continue
      }
      this.#appended({ partition: PARTITION, position: outcome.position, storedAt: sealed.storedAt, entries })
      let firstIndex = 0
      for (const item of items) {
        item.resolve({ position: outcome.position, firstIndex, storedAt: sealed.storedAt })
        firstIndex += item.entries.length
      }
      return
    }
  }

  /** Small steps back (a clock being disciplined) are held; a large one is a clock that was wrong before, and is believed. */
  #storedNow(): number {
    const now = this.#parts.clock.now()
    if (now < this.#lastStoredAt - MAX_HELD_MS)
      this.#parts.watch.log.error(
        { steppedBackMs: this.#lastStoredAt - now },
        "the server's clock was set back: what was stored before carries times from the future. See that a time server is followed",
      )
    else if (now < this.#lastStoredAt) return this.#lastStoredAt
    this.#lastStoredAt = now
    return now
  }

  async #seal(entries: readonly LogEntry[]): Promise<SealedCommit> {
    const storedAt = this.#storedNow()
    const key = await this.#parts.keys.keyFor('log-day', new Date(storedAt).toISOString().slice(0, 10))
    const commitId = this.#parts.ids.uuid()
    return { commitId, storedAt, keyId: key.id, body: key.seal(encodeCommit(entries), aadOf(commitId)) }
  }

  /** Tries until the outcome is certain. Connection failures are waited out; the doors' bounded queue holds the flood back. */
  async #appendUntilKnown(sealed: SealedCommit, count: number, fences: Map<string, number>): Promise<Outcome> {
    for (let attempt = 0; ; attempt++) {
      try {
        const client = await this.#connection()
        if (attempt > 0) {
          const position = await findCommit(client, sealed.commitId)
          if (position !== undefined) return { position }
        }
        const outcome = await appendOnce(client, sealed, count, fences)
        if (!('lost' in outcome) || attempt === 0) return outcome
        // The first try may have been committed by a backend that outlived its connection, and the fence moved after it.
        const position = await findCommit(client, sealed.commitId)
        return position === undefined ? outcome : { position }
      } catch (error) {
        this.#dropConnection()
        if (sqlState(error) === '53100') throw refusalFailure('storage-low', error)
        // A commit id that is there already: the connection broke after the commit, and the look-up raced it.
        if (!isPassing(error) && sqlState(error) !== '23505') throw error
        if (this.#closed && attempt > 20) throw refusalFailure('log-closed', error)
        this.#parts.watch.log.warn(
          { attempt, code: sqlState(error) },
          'reading log: the database is away; waiting for it',
        )
        await new Promise((go) => setTimeout(go, Math.min(1000, 50 * 2 ** attempt)))
      }
    }
  }

  async #connection(): Promise<pg.Client> {
    if (this.#client) return this.#client
    const client = new pg.Client({
      ...this.#parts.connect,
      connectionTimeoutMillis: 5000,
      application_name: 'careloop-log',
    })
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined
    })
    await client.connect()
    this.#client = client
    return client
  }

  #dropConnection(): void {
    const client = this.#client
    this.#client = undefined
    client?.end().catch(() => {})
  }

  #appended(commit: LogCommit): void {
    this.#cache.push(commit)
    this.#knownHead = Math.max(this.#knownHead, commit.position)
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
  }

  async appendWithin(tx: EngineTx, entries: readonly LogEntry[], bump: readonly string[] = []): Promise<Appended> {
    const sealed = await this.#seal(entries)
    // The head's lock first: fences move only under it.
    await tx.client.query('select 1 from engine.log_head where partition = $1 for update', [PARTITION])
    for (const name of [...new Set(bump)].sort())
      await tx.client.query(
        'insert into engine.fence values ($1, 1) on conflict (name) do update set value = engine.fence.value + 1',
        [name],
      )
    if (entries.length === 0) return { partition: PARTITION, position: 0, firstIndex: 0, storedAt: sealed.storedAt }
    const outcome = await appendOnce(tx.client, sealed, entries.length, new Map())
    if ('lost' in outcome) throw new Error('an append without fences cannot lose one')
    tx.afterCommit(() =>
      this.#appended({ partition: PARTITION, position: outcome.position, storedAt: sealed.storedAt, entries }),
    )
    return { partition: PARTITION, position: outcome.position, firstIndex: 0, storedAt: sealed.storedAt }
  }

  // ------------------------------------------------------------ reading

  async read(partition: number, after: number, maxEntries: number): Promise<readonly LogCommit[]> {
    const cached = this.#cache.read(after, maxEntries)
    if (cached.length > 0) return cached
    const { rows } = await this.#parts.pool.query<LogRow>(
      `select position::float8 as position, stored_at::float8 as stored_at, commit_id, key_id, body from (
         select *, sum(entries) over w - entries as before, sum(octet_length(body)) over w - octet_length(body) as bytes_before
           from (select * from engine.reading_log where partition = $1 and position > $2 order by position limit 256) newest
         window w as (order by position)) counted
        where before < $3 and bytes_before < $4 order by position`,
      [partition, after, maxEntries, MAX_READ_BYTES],
    )
    const commits: LogCommit[] = []
    for (const row of rows) commits.push(await this.#open(partition, row))
    return commits
  }

  async #open(partition: number, row: LogRow): Promise<LogCommit> {
    const key = await this.#parts.keys.key(row.key_id)
    const entries = decodeCommit(key.open(row.body, aadOf(row.commit_id)))
    return { partition, position: row.position, storedAt: row.stored_at, entries }
  }

  async head(partition: number): Promise<number> {
    const { rows } = await this.#parts.pool.query<{ position: number }>(
      'select position::float8 as position from engine.log_head where partition = $1',
      [partition],
    )
    this.#knownHead = Math.max(this.#knownHead, rows[0]?.position ?? 0)
    return rows[0]?.position ?? 0
  }

  async floor(partition: number): Promise<number> {
    const { rows } = await this.#parts.pool.query<{ floor: number }>(
      'select floor::float8 as floor from engine.log_head where partition = $1',
      [partition],
    )
    return rows[0]?.floor ?? 0
  }

  async fence(name: string): Promise<number> {
    const { rows } = await this.#parts.pool.query<{ value: number }>(
      'select value::float8 as value from engine.fence where name = $1',
      [name],
    )
    return rows[0]?.value ?? 0
  }

  /** Local appends wake at once; those of other processes are seen within 100 ms. */
  async waitFor(partition: number, after: number, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const until = performance.now() + timeoutMs
    while (this.#knownHead <= after && !this.#closed && !signal?.aborted) {
      const left = until - performance.now()
      if (left <= 0) return
      await this.#woken(Math.min(left, 100), signal)
      if (this.#knownHead <= after) await this.head(partition).catch(() => {})
    }
  }

  #woken(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#wakers.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wakers.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    await this.#running
    await this.#client?.end().catch(() => {})
    this.#client = undefined
  }
}

interface SealedCommit {
  readonly commitId: string
  readonly storedAt: number
  readonly keyId: string
  readonly body: Buffer
}

interface LogRow {
  readonly position: number
  readonly stored_at: number
  readonly commit_id: string
  readonly key_id: string
  readonly body: Buffer
}

type Outcome = { readonly position: number } | { readonly lost: readonly string[] }

const aadOf = (commitId: string) => `reading-log:${PARTITION}:${commitId}`

async function appendOnce(
  client: pg.ClientBase,
  sealed: SealedCommit,
  count: number,
  fences: ReadonlyMap<string, number>,
): Promise<Outcome> {
  const { rows } = await client.query<{ appended_position: string | null; lost: string[] | null }>({
    ...APPEND,
    values: [
      PARTITION,
      sealed.commitId,
      sealed.storedAt,
      count,
      sealed.keyId,
      sealed.body,
      [...fences.keys()],
      [...fences.values()],
    ],
  })
  const row = rows[0]!
  return row.lost ? { lost: row.lost } : { position: Number(row.appended_position) }
}

async function findCommit(client: pg.ClientBase, commitId: string): Promise<number | undefined> {
  const { rows } = await client.query<{ position: number }>(
    'select position::float8 as position from engine.reading_log where commit_id = $1',
    [commitId],
  )
  return rows[0]?.position
}

function sqlState(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined
}

/** The connection or the server failed, not the statement: try again. A message without a code is pg's own (connection ended). */
function isPassing(error: unknown): boolean {
  const code = sqlState(error)
  if (code === undefined) return error instanceof Error && /connection|timeout|not queryable/i.test(error.message)
  return /^(08|57P|53300|40|25006|E[A-Z]+$)/.test(code)
}

function refusalFailure(code: 'log-overloaded' | 'storage-low' | 'log-closed', cause?: unknown): Error {
  const words = {
    'log-overloaded': 'More readings are waiting than can be stored now. Nothing was kept; send again.',
    'storage-low':
      'The disk is nearly full, so nothing new is accepted. Free space or move the data directory, then send again.',
    'log-closed': 'The server is stopping. Nothing was kept; send again.',
  }
  return engineFailure(code, words[code], { retryAfterSeconds: code === 'storage-low' ? 60 : 2, cause })
}
