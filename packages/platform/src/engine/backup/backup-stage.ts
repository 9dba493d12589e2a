/**
 * Stage `backup`: ships the log and the erasure ledger all the time, takes base copies when they are due or wanted, and lets go of what
 * is too old. It never holds up a reading: when the store is away, log waits on this disk up to its limit, and the page says so.
 */
import { join } from 'node:path'
import { Failure } from '@careloop/contract'
import type { MasterKeys } from '../keys/master-key.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { Engine, Stage } from '../ports.ts'
import { type BackupState, readBackupState, writeBackupState } from './backup-state.ts'
import { takeBaseCopy } from './base-copy.ts'
import { type BlobCopies, makeBlobCopies } from './blob-copies.ts'
import { applyLedger, destroyedMark, newestLedger, type PeopleLedger, putLedger } from './erasure-ledger.ts'
import { tellLastingTrouble } from './lasting-trouble.ts'
import { letGoOfBackups } from './let-go.ts'
import { type Lock, lockOf } from './lock.ts'
import { listBases, readManifest } from './manifest.ts'
import { CLUSTER } from './restore.ts'
import { makeSealedStore, type SealedStore } from './sealed-store.ts'
import type { BackupSettings } from './settings.ts'
import { ensureStoreKey } from './store-key.ts'
import { assertStoreRemembered, makeStoreGuard, rememberStore } from './store-memory.ts'
import { assertOwner, releaseOwner, type Shipping } from './store-owner.ts'
import { type Lsn, readLsn } from './wal-position.ts'
import { dropSlot, guardWalRoom } from './wal-room.ts'
import { attachShipper, type WalShipper } from './wal-shipper.ts'
import { whileHeld } from './while-held.ts'

export interface BackupParts {
  /** Whoever keeps the ledger of erased people. */
  readonly people: PeopleLedger | null
  readonly objects: ObjectStore
  readonly masters: MasterKeys
  readonly settings: BackupSettings
  /** Of the database beside us, whose files can be copied; null = another's: only the erasure ledger goes to the store. */
  readonly own: {
    readonly url: string
    readonly dataDir: string
    readonly without: ReadonlySet<string> /** Free bytes below which readings are refused. */
    readonly floorBytes?: number
  } | null
}

const LEASE_MS = 30_000
/** How often the row in the database is written. */
const TELL_MS = 30_000
/** How often all erasures are compared with the ledger in the store. */
const LEDGER_MS = 60_000
const HOUR_MS = 3_600_000

export function backupStage(parts: BackupParts | null): Stage {
  return {
    name: 'backup',
    async start(engine) {
      if (parts === null) {
        await letGoOfSlot(engine)
        return async () => {}
      }
      const stopping = new AbortController()
      const endTelling = tellLastingTrouble(engine)
      const endRoom = parts.own ? guardWalRoom(engine, parts.own) : async () => {}
      const shipping = { process: engine.ids.uuid(), hasOwned: false }
      const running = run(engine, { ...parts, shipping, base: { hasFailed: false, retryAt: 0 } }, stopping.signal)
      return async () => {
        stopping.abort()
        await running
        await endRoom()
        endTelling()
      }
    },
  }
}

/** Backups were switched off: what is held for them would fill the disk. */
async function letGoOfSlot({ db, watch }: Engine): Promise<void> {
  const dropped = await dropSlot(db.pool).catch((err: unknown) => {
    watch.log.warn({ err }, 'whether log is held for a backup store that is no longer named cannot be seen')
    return false
  })
  if (dropped) watch.log.warn('no backup store is named any more: log that waited for it was let go of')
}

/** What outlives an attachment. */
type Running = BackupParts & {
  readonly shipping: Shipping
  /** A base copy that failed is trouble until one is finished, however well the log is shipped meanwhile. */
  readonly base: { hasFailed: boolean; retryAt: number }
}

async function run(engine: Engine, parts: Running, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const lease = await engine.leases.acquire('backup', LEASE_MS).catch(() => null)
    try {
      if (lease) {
        const own = { ...parts, objects: whileHeld(parts.objects, lease.signal) }
        await new Backups(engine, own, AbortSignal.any([stop, lease.signal])).work(stop)
      }
    } catch (err) {
      // Who took over tells how it goes on.
      if (!lease?.signal.aborted) {
        engine.watch.log.error({ err }, 'backups do not go on; trying again')
        await tellError(engine, err)
      }
    } finally {
      await lease?.release().catch(() => {})
    }
    await engine.clock.sleep(parts.settings.walSeconds * 1000, stop)
  }
}

async function tellError({ db, clock }: Engine, err: unknown): Promise<void> {
  const errorCode = err instanceof Failure ? err.code : 'internal'
  const before = await readBackupState(db.pool).catch(() => null)
  const errorSince = before?.errorSince ?? clock.now()
  await writeBackupState(db.pool, { errorCode, errorSince }).catch(() => {})
}

/** One attachment to the store, until something breaks. */
class Backups {
  readonly #engine: Engine
  readonly #parts: Running
  readonly #stop: AbortSignal
  #store!: SealedStore
  #assertThere: () => Promise<void> = async () => {}
  #shipper: WalShipper | null = null
  #blobs: BlobCopies | null = null
  #systemId = ''
  /** The half of the lock's span in which the store's key was put. */
  #keyHeldBy = ''
  #switchedAt = 0
  #ledger = 0
  #ledgerMark: string | null = null
  #ledgerLookedAt = 0
  #ledgerError: unknown = null
  #toldAt = 0
  #base: Promise<void> | null = null
  #baseFailed: unknown = null
  #mustBase = false
  readonly #waiters: { readonly lsn: Lsn; readonly done: () => void }[] = []

  constructor(engine: Engine, parts: Running, stop: AbortSignal) {
    this.#engine = engine
    this.#parts = parts
    this.#stop = stop
  }

  /** @param ending the process stops: what is durable then is shipped, so that nothing acknowledged stays behind */
  async work(ending: AbortSignal): Promise<void> {
    const { clock } = this.#engine
    await this.#attach()
    try {
      while (!this.#stop.aborted) {
        await this.#round()
        await clock.sleep(this.#parts.settings.walSeconds * 1000, this.#stop)
      }
      // The base copy that runs must see the end before we wait for it.
      for (const { done } of this.#waiters.splice(0)) done()
      if (ending.aborted) {
        await this.#ship()
        await releaseOwner(this.#store, this.#parts.shipping)
      }
    } finally {
      for (const { done } of this.#waiters.splice(0)) done()
      await this.#base
    }
  }

  async #attach(): Promise<void> {
    const { objects, masters, own } = this.#parts
    const { db } = this.#engine
    const { rows } = await db.pool.query<{ id: string }>(
      own ? 'select system_identifier::text as id from pg_control_system()' : `select '' as id`,
    )
    if (own) await assertStoreRemembered(own.dataDir, objects, masters)
    this.#systemId = rows[0]!.id
    this.#store = makeSealedStore(objects, await ensureStoreKey(objects, masters, this.#systemId, this.#lock()))
    this.#keyHeldBy = this.#lock().suffix
    this.#assertThere = await makeStoreGuard(own?.dataDir ?? '', objects)
    await this.#eraseAgain()
    await this.#assertOwner()
    if (own) await this.#attachShipper()
  }

  /** A database that is older than the ledger was brought back by somebody: whoever was erased is erased again. */
  async #eraseAgain(): Promise<void> {
    const ledger = await newestLedger(this.#store)
    const erased = await applyLedger(this.#engine.db.pool, ledger)
    if (ledger.people) await this.#parts.people?.reapply(ledger.people.value)
    if (erased > 0) this.#engine.watch.log.warn({ count: erased }, 'keys of erased people were destroyed again')
    this.#ledger = ledger.number
  }

  async #attachShipper(): Promise<void> {
    const { own } = this.#parts
    const { db, compute, clock } = this.#engine
    const lock = () => this.#lock()
    const before = await readBackupState(db.pool)
    this.#blobs = await makeBlobCopies(this.#store, own!.dataDir, lock)
    this.#shipper = await attachShipper({
      ...{ pool: db.pool, store: this.#store, cluster: join(own!.dataDir, CLUSTER), compute, clock },
      lock,
    })
    this.#mustBase = !(await this.#isFollowed(this.#shipper))
    // A database that was restored begins anew, and has lost nothing.
    const wasRestored = (before.restoredAt ?? 0) > (before.baseAt ?? 0)
    if (this.#shipper.isContinuous || before.baseAt === null || wasRestored) return
    this.#engine.watch.log.error('log was lost for the backup: a new base copy begins')
    await writeBackupState(db.pool, { walLostAt: clock.now() })
  }

  /** Whether the log that is shipped goes on from the newest base copy without a hole. */
  async #isFollowed({ chain, timeline }: WalShipper): Promise<boolean> {
    const newest = (await listBases(this.#store)).at(-1)
    const manifest = newest === undefined ? null : await readManifest(this.#store, newest).catch(() => null)
    return manifest !== null && manifest.timeline === timeline && readLsn(manifest.startLsn) >= chain
  }

  async #round(): Promise<void> {
    await this.#ship()
    if (this.#baseFailed !== null) {
      const err = this.#baseFailed
      this.#baseFailed = null
      throw err
    }
    await this.#beginBase()
    await this.#tell()
  }

  async #ship(): Promise<void> {
    await this.#assertThere()
    await this.#assertOwner()
    await this.#hold()
    await this.#shipLedger()
    if (this.#shipper && !(await this.#shipper.ship(this.#ledger, () => this.#blobs!.put()))) {
      await this.#attachShipper()
      await this.#shipper.ship(this.#ledger, () => this.#blobs!.put())
    }
    const shipped = this.#shipper?.shipped()
    for (const waiter of [...this.#waiters])
      if (shipped !== undefined && waiter.lsn <= shipped) {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        waiter.done()
      }
  }

  async #assertOwner(): Promise<void> {
    const { own, shipping } = this.#parts
    if (own) await assertOwner(this.#store, own.dataDir, shipping, this.#engine)
  }

  #lock(): Lock {
    return lockOf(this.#parts.settings, this.#engine.clock.now())
  }

  /** With object lock: the key is put anew in each half of its span, and no log stays for more than an hour in a piece that is not held. */
  async #hold(): Promise<void> {
    const { clock, db } = this.#engine
    const { objects, masters, own, settings } = this.#parts
    if (settings.lockDays === 0) return
    const lock = this.#lock()
    if (lock.suffix !== this.#keyHeldBy) await ensureStoreKey(objects, masters, this.#systemId, lock)
    this.#keyHeldBy = lock.suffix
    if (!own || clock.now() - this.#switchedAt < HOUR_MS) return
    // Only full segments are held: what is not full is put anew all the time.
    await db.pool.query('select pg_switch_wal()')
    this.#switchedAt = clock.now()
  }

  /** A ledger that somebody tampered with is told of, and holds up no reading's way into the store. */
  async #shipLedger(): Promise<void> {
    const { db, clock, watch } = this.#engine
    const mark = await destroyedMark(db.pool)
    // Now and then whatever the mark says: what a mark misses would come back with a restore.
    if (mark === this.#ledgerMark && clock.now() - this.#ledgerLookedAt < LEDGER_MS) return
    try {
      const { people } = this.#parts
      this.#ledger = (
        await putLedger(this.#store, { pool: db.pool, people, now: clock.now(), lock: this.#lock() })
      ).number
      this.#ledgerMark = mark
      this.#ledgerLookedAt = clock.now()
      this.#ledgerError = null
    } catch (err) {
      if (this.#ledgerError === null) watch.log.error({ err }, 'the erasure ledger does not reach the backup store')
      this.#ledgerError = err
      await tellError(this.#engine, err)
    }
  }

  /** Copies beside the shipping, which goes on meanwhile. */
  async #beginBase(): Promise<void> {
    const { clock, db } = this.#engine
    const { own, settings } = this.#parts
    if (!own || this.#base || clock.now() < this.#parts.base.retryAt) return
    const state = await readBackupState(db.pool)
    const isWanted = state.wantedAt !== null && state.wantedAt > (state.baseAt ?? 0)
    const isDue = state.baseAt === null || clock.now() - state.baseAt >= settings.baseHours * HOUR_MS
    if (!this.#mustBase && !isWanted && !isDue) return
    this.#base = this.#takeBase(this.#mustBase || isWanted)
      .catch((err: unknown) => {
        if (this.#stop.aborted) return
        this.#baseFailed = err
        this.#parts.base.hasFailed = true
        this.#parts.base.retryAt = clock.now() + 60_000
      })
      .finally(() => {
        this.#base = null
      })
  }

  async #takeBase(isUrgent: boolean): Promise<void> {
    const { clock, compute, ids, db, watch } = this.#engine
    const { own, settings } = this.#parts
    const manifest = await takeBaseCopy(
      {
        ...{ store: this.#store, ...own!, cluster: CLUSTER, compute, clock, ids, settings, stop: this.#stop },
        ledger: () => this.#ledger,
        shippedTo: (lsn) => this.#shippedTo(lsn),
      },
      isUrgent,
    )
    this.#mustBase = false
    rememberStore(own!.dataDir, this.#parts.objects)
    const { id, finishedAt, bytes, putBytes } = manifest
    await writeBackupState(db.pool, { baseId: id, baseAt: finishedAt, baseBytes: bytes, basePutBytes: putBytes })
    this.#parts.base.hasFailed = false
    watch.log.info(
      { count: manifest.chunks.length, durationMs: finishedAt - manifest.startedAt },
      'a base copy is in the store',
    )
    await letGoOfBackups(this.#store, clock.now(), settings.retentionDays)
  }

  #shippedTo(lsn: Lsn): Promise<void> {
    if (lsn <= this.#shipper!.shipped()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const done = () => (this.#shipper!.shipped() >= lsn ? resolve() : reject(new Error('the shipping of log ended')))
      this.#waiters.push({ lsn, done })
    })
  }

  async #tell(): Promise<void> {
    const { clock, db } = this.#engine
    const now = clock.now()
    if (now - this.#toldAt < TELL_MS) return
    this.#toldAt = now
    const wal: Partial<BackupState> = this.#shipper ? { walAt: now } : {}
    const isWell = this.#ledgerError === null && !this.#parts.base.hasFailed
    const ledger = this.#ledgerError === null ? { ledgerAt: now } : {}
    const well = isWell ? { errorCode: null, errorSince: null } : {}
    await writeBackupState(db.pool, { ...wal, ...ledger, ...well })
  }
}
