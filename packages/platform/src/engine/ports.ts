/**
 * The nine ports that every room stands on. Rooms receive one `Engine`, chosen once in `app/`; which engine stands behind a
 * port is nobody's business but this folder's. Each port has one contract suite (`*.contract.ts`) run on every engine.
 */
import type { Fact, FactType, LogEntry, NewFact } from '@careloop/contract'
import type { Kysely } from 'kysely'
import type { ClientBase, Pool } from 'pg'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

export interface Engine {
  readonly log: ReadingLog
  readonly db: Db
  readonly blobs: Blobs
  readonly leases: Leases
  readonly clock: Clock
  readonly ids: Ids
  readonly keys: Keys
  readonly compute: Compute
  readonly timers: Timers
  /** Where rooms write what operators read: structured log lines and metrics. Never PHI. */
  readonly watch: Watch
}

export interface Watch {
  readonly log: Logger
  readonly metrics: Registry
}

// ---------------------------------------------------------------- clock, ids

export interface Clock {
  /** Milliseconds since 1970-01-01Z. */
  now(): number
  /** Resolves after `ms` on this clock, or at once when the signal aborts (never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `fn` every `ms` on this clock; returns the stop. */
  every(ms: number, fn: () => void): () => void
}

export interface Ids {
  /** UUIDv7: sorts by time of creation. */
  uuid(): string
  /** 256 random bits, base64url with a prefix that tells what it is: `clt_...`. */
  token(prefix: string): string
}

// ---------------------------------------------------------------- reading log

/**
 * Where an append may only happen while the appender still holds what it believes: `door:<process>` (its devices were not
 * taken over) and `attribution` (its copy of who wears what is current). Values are bumped only under the log head's lock.
 */
export interface Fence {
  readonly name: string
  readonly value: number
}

export interface LogAddress {
  readonly partition: number
  readonly position: number
  /** Place of the entry inside its commit. */
  readonly index: number
}

export interface Appended {
  readonly partition: number
  readonly position: number
  /** Index of this call's first entry inside the commit. */
  readonly firstIndex: number
  readonly storedAt: number
}

export interface LogCommit {
  readonly partition: number
  readonly position: number
  readonly storedAt: number
  readonly entries: readonly LogEntry[]
}

/**
 * The durable, ordered record of all that came in. Resolves only when durable (fsync). No acknowledgement lives here: the
 * caller acknowledges after `append` resolves; readers keep their own cursor in the database.
 */
export interface ReadingLog {
  /**
   * Appends entries together and in order, in one group commit with whatever else is waiting. One commit in flight per
   * process; positions are gapless and in commit order whichever process appends.
   * @throws Failure `log-overloaded` (429, the bounded queue is full), `storage-low` (507), `fence-lost` (a fence moved: refresh and
   *   decide again), `log-closed`. Never rejects for a commit whose outcome is unknown: it finds out first.
   */
  append(entries: readonly LogEntry[], fences?: readonly Fence[]): Promise<Appended>
  /** Appends inside a transaction, as its last statement (it holds the head's lock until commit). `bump` moves fences. */
  appendWithin(tx: EngineTx, entries: readonly LogEntry[], bump?: readonly string[]): Promise<Appended>
  /** Commits after `after`, oldest first; at least one if there is one, then up to about `maxEntries` entries. */
  read(partition: number, after: number, maxEntries: number): Promise<readonly LogCommit[]>
  /** Position of the newest durable commit, 0 when empty. */
  head(partition: number): Promise<number>
  /** Position below which commits have been let go (retention), 0 when none. */
  floor(partition: number): Promise<number>
  /** Value of a fence; 0 when it was never bumped. */
  fence(name: string): Promise<number>
  /** Resolves when something newer than `after` may be there, or after `timeoutMs`. */
  waitFor(partition: number, after: number, timeoutMs: number, signal?: AbortSignal): Promise<void>
  /** How full the bounded queue is, 0..1; doors stop reading their sockets near 1. */
  pressure(): number
  /** Why an append would be refused now, or null. Doors ask before they accept work. */
  refusal(): 'log-overloaded' | 'storage-low' | 'log-closed' | null
}

// ---------------------------------------------------------------- database

/** A transaction of one tenant as role careloop_app, under row-level security. */
export interface TenantTx {
  readonly tenant: string
  /** Typed SQL over the tables a room owns: `tx.tables<FleetTables>()`. Tables live in schema `tenant`. */
  tables<T>(): Kysely<T>
  /** Writes a fact to the outbox in this transaction. */
  publish(fact: NewFact): Promise<void>
  /** Appends entries (and bumps fences) as the very last thing before commit. */
  beforeCommitAppend(entries: readonly LogEntry[], bump?: readonly string[]): void
  /** Engine work in this transaction, after the tenant's own: for ports that keep engine tables (timers), not for rooms. */
  beforeCommitAsEngine(fn: (tx: EngineTx) => Promise<void>): void
  /** Runs after a successful commit, in this process. */
  afterCommit(fn: () => void): void
  /** Writes rows by the writer's one statement: at once, or in a shared reading with everybody's, before the commit. */
  write<R>(writer: RowWriter<R>, rows: readonly R[]): Promise<void>
  /** Reads what stands under a key: at once, or in a shared reading by one statement for all who ask at the same time. */
  readOne<K, V>(reader: RowReader<K, V>, key: K): Promise<V>
  readonly client: ClientBase
}

/** Known by identity: keep it in a constant. */
export type RowWriter<R> = (tx: TenantTx, rows: readonly R[]) => Promise<void>
/** Known by identity: keep it in a constant. @returns for each key what stands under it, in their order */
export type RowReader<K, V> = (tx: TenantTx, keys: readonly K[]) => Promise<readonly V[]>

/** A transaction over engine tables (schema `engine`): raw SQL by `pg`, for log, sample, chunk, checkpoint. */
export interface EngineTx {
  readonly client: ClientBase
  /** Writes a fact for a tenant in this transaction. */
  publish(tenant: string, fact: NewFact): Promise<void>
  /** Does tenant work inside this same transaction (sets the role and tenant, then resets them). */
  asTenant<T>(tenant: string, fn: (tx: TenantTx) => Promise<T>): Promise<T>
  afterCommit(fn: () => void): void
}

export interface Db {
  asTenant<T>(tenant: string, fn: (tx: TenantTx) => Promise<T>): Promise<T>
  /**
   * For short reads with their audit entries: those of one organisation that come at the same time share one transaction, its begin,
   * its entries' one statement and its commit; each is answered after that commit. One that fails fails alone. `fn` writes by `write`
   * only, publishes nothing, does not wait for another transaction, and may be run a second time.
   */
  asTenantReading<T>(tenant: string, fn: (tx: TenantTx) => Promise<T>): Promise<T>
  asEngine<T>(fn: (tx: EngineTx) => Promise<T>): Promise<T>
  /** Tenant ids, oldest first. */
  tenants(): Promise<readonly string[]>
  /** Cursor of a stage; 0 when new. For facts the string position. */
  cursor(name: string): Promise<string>
  /** Moves a cursor by compare-and-swap inside the transaction. @throws Failure `cursor-moved` when someone else moved it */
  moveCursor(tx: EngineTx, name: string, from: string, to: string): Promise<void>
  /** Facts after a position in (xid, id) order, only those no running transaction can still precede. */
  readFacts(after: string, max: number): Promise<readonly Fact[]>
  /** Calls `fn` for each fact from now on, in order, at least once (live pages, caches). Returns the stop. */
  onFacts(types: readonly FactType[] | 'all', fn: (fact: Fact) => void): () => void
  /** The pool, for identity's library, which brings its own SQL (schema `auth`). */
  readonly pool: Pool
}

// ---------------------------------------------------------------- leases

export interface Lease {
  readonly name: string
  /** Grows with each holder: a late writer with a smaller token is refused. */
  readonly token: number
  /** Aborts when the lease is lost or released. */
  readonly signal: AbortSignal
  release(): Promise<void>
  /** Inside a transaction: fails with `lease-lost` when a newer holder exists. */
  assertHeld(tx: EngineTx): Promise<void>
}

export interface Leases {
  /** Takes the lease if it is free or expired, and keeps it by heartbeat; null when another holds it. */
  acquire(name: string, ttlMs: number): Promise<Lease | null>
}

// ---------------------------------------------------------------- keys, blobs, compute

/** AES-256-GCM key. Sealed = 1 byte format, 12 bytes nonce, ciphertext, 16 bytes tag. */
export interface DataKey {
  readonly id: string
  /** HMAC-SHA-256 under a key derived for `purpose` from this one. */
  hmac(purpose: string, text: string): Buffer
  /** @param aad what the bytes are and where they belong, so that a row moved elsewhere does not open */
  seal(plain: Uint8Array, aad: string): Buffer
  /** @throws Failure `seal-broken` */
  open(sealed: Uint8Array, aad: string): Buffer
  /** For `compute` modules, which seal on other threads. Never log it. */
  readonly raw: Uint8Array
}

export interface Keys {
  /** Makes a data key for one owner (a subject, a tenant's quarantine, a day of the log), wrapped by the master key. */
  create(tx: EngineTx | TenantTx, purpose: KeyPurpose, owner: string): Promise<string>
  /** Unwraps; cached. @throws Failure `key-destroyed` | `key-unknown` */
  key(id: string): Promise<DataKey>
  /** The key for an owner, made on first use. For `log-day` the owner is the UTC date. */
  keyFor(purpose: KeyPurpose, owner: string): Promise<DataKey>
  /** Destroys a key for ever: what it sealed is unreadable from now on; the erasure ledger keeps the id. */
  destroy(tx: EngineTx | TenantTx, id: string): Promise<void>
  /** Learns at once what other processes destroyed, instead of within two seconds. */
  refresh(): Promise<void>
  /** Exact-match index of an identifier under the tenant's key: HMAC-SHA-256 over the normalised text. */
  hmac(tenant: string, purpose: string, normalised: string): Promise<Buffer>
  /**
   * Makes a new master key and wraps every data key with it, while all processes work on; the old one is still read.
   * @param next bytes of the new key, where the keeper takes any
   */
  rotateMaster(next?: Uint8Array): Promise<{ rewrapped: number }>
  /** Wraps what the current master key does not wrap yet: goes on where a rotation broke off. */
  finishRotation(): Promise<{ rewrapped: number }>
  /** Which master key wraps now, and how many data keys another still wraps. @throws Failure `kms-unavailable`, `kms-refused` */
  master(): Promise<{ current: string; behind: number }>
  /** What is wrong with the keeper of the master key, in words for operators; null = nothing. Keys in memory go on meanwhile. */
  trouble(): string | null
  /** A data key as it lies wrapped, to be kept beside what it signs. @throws Failure `key-unknown`, `key-destroyed` */
  exportWrapped(id: string): Promise<WrappedKey>
  /** Unwraps a key that was exported; nothing is kept of it. @throws Failure `master-key-missing`, `seal-broken` */
  openWrapped(key: WrappedKey): Promise<DataKey>
}

/** A data key outside the database: only the master key opens it. */
export interface WrappedKey {
  readonly id: string
  readonly purpose: KeyPurpose
  readonly owner: string
  readonly masterId: string
  /** Base64. */
  readonly wrapped: string
}

export type KeyPurpose = 'subject' | 'tenant' | 'quarantine' | 'log-day' | 'blob' | 'ca' | 'auth' | 'ledger'

export interface Blobs {
  /** Seals and stores; returns an opaque reference. */
  put(bytes: Uint8Array, keyId: string): Promise<string>
  /** @throws Failure `blob-missing` | `seal-broken` */
  get(ref: string): Promise<Buffer>
  delete(ref: string): Promise<void>
  /** All that was sealed under this key, also what a crash left without anybody who knows of it. */
  deleteUnder(keyId: string): Promise<void>
}

export interface Compute {
  /** Runs the default export of a module on a worker thread with a structured-cloneable input. */
  run<I, O>(module: URL, input: I, transfer?: readonly ArrayBuffer[]): Promise<O>
  close(): Promise<void>
}

// ---------------------------------------------------------------- timers

/** What a timer carries: opaque ids and numbers. Whoever is called reads again what they stand for. */
export type TimerIds = Readonly<Record<string, string | number>>

export interface FiredTimer {
  readonly key: string
  readonly ids: TimerIds
  /** When it was due, ms; long ago when no process was there to fire it. */
  readonly dueAt: number
}

/**
 * Durable timers: they fire once, also when every process was down at their time, then late. The handler runs in the transaction
 * that takes the timer away, so its effects in the database are there exactly once, whatever is killed when.
 */
export interface Timers {
  /** Sets the timer (name, key) in this transaction; one that waits already is moved to `at` and carries the new ids. */
  set(tx: EngineTx | TenantTx, name: string, timer: { key: string; at: number; ids: TimerIds }): Promise<void>
  /** Takes a waiting timer away in this transaction; nothing happens when none waits. */
  cancel(tx: EngineTx | TenantTx, name: string, key: string): Promise<void>
  /**
   * Fires timers of this name in this process from now on, one at a time. When the handler throws, all it did is taken back and the
   * timer waits for its next try (1 s, doubling to 1 min); it is never given up.
   * @returns the stop; resolves when the handler that runs has ended
   */
  work(name: string, handler: (fired: FiredTimer, tx: EngineTx) => Promise<void>): () => Promise<void>
  /** Fires all that is due now in names this process works on. @returns how many */
  runDue(): Promise<number>
  /** Timers of all names that are due for more than `ms`: no process fires them. */
  overdue(ms: number): Promise<number>
}

// ---------------------------------------------------------------- stages

/** Part of a process's work: a role is a list of stage names. `start` resolves when it runs; stop resolves when it has ended. */
export interface Stage {
  readonly name: string
  readonly needs?: readonly string[]
  start(engine: Engine): Promise<() => Promise<void>>
}
