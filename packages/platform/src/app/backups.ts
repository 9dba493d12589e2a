/** How this installation backs itself up: the store that the configuration names, and what of this machine goes there. */
import { relative } from 'node:path'
import { Failure } from '@careloop/contract'
import {
  applyLedger,
  assertStoreRemembered,
  type BackupParts,
  type Engine,
  type ErasureLedger,
  type MasterKeys,
  makeWatch,
  newestLedger,
  type ObjectStore,
  OWNER_FILE,
  openEngine,
  openObjectStore,
  openStore,
  type PeopleLedger,
  prepareDatabase,
  writeBackupState,
} from '../engine/index.ts'
import { exportLedger, type LedgerCopy, reapplyErasures } from '../subjects/index.ts'
import type { Config } from './config.ts'
import { forgetsOf } from './erasures.ts'
import { assertMasterFits } from './master-fits.ts'

type Ports = Pick<Engine, 'clock' | 'ids'>

/** @returns null when no store is configured */
export const backupStoreOf = (config: Config, ports: Ports): ObjectStore | null =>
  config.backup ? openObjectStore(config.backup.store, ports) : null

/**
 * @param url of the embedded database, whose files lie below the data directory; null = an external one, which has a backup of its own
 *   and of which the store keeps the erasure ledger only
 */
export function backupPartsOf(
  config: Config,
  masters: MasterKeys,
  url: string | null,
  engine: Engine,
): BackupParts | null {
  const objects = backupStoreOf(config, engine)
  if (!objects || !config.backup) return null
  const { dataDir, masterKeyFile } = config
  // Made anew at each start, or (the master key, where somebody keeps it here against all advice) what must never lie beside a copy.
  const without = new Set(['ballast', 'running.json', 'restoring.json', OWNER_FILE, relative(dataDir, masterKeyFile)])
  const floor = config.diskFloorBytes === undefined ? {} : { floorBytes: config.diskFloorBytes }
  const own = url === null ? null : { url, dataDir, without, ...floor }
  return { objects, masters, settings: config.backup.settings, own, people: peopleLedger(engine) }
}

/** A store that does not answer must not keep doors shut for longer, ms: the stage looks again as soon as it answers. */
const PATIENCE_MS = 10_000

export interface ErasedAgain {
  /** What the operator must be told. */
  readonly notices: readonly string[]
  /** Erasures of people that the store's ledger holds, each of which is made in this database now; 0 when it was not read. */
  readonly vouched: number
}

/**
 * Before any door opens: a database that is older than the erasure ledger was brought back by somebody, and whoever was erased since is
 * erased again. Only a store that is away is passed over, and told: the stage makes up for it. A ledger that is damaged, was changed or
 * is sealed with another key may hide an erasure, so that nobody is let in.
 * @throws Failure `backup-damaged`, `backup-key-foreign`, `ledger-broken`, `object-store-refused`
 */
export async function eraseAgain(engine: Engine, parts: BackupParts | null): Promise<ErasedAgain> {
  if (parts === null) return { notices: [], vouched: 0 }
  const late = new AbortController()
  const waited = engine.clock.sleep(PATIENCE_MS, late.signal).then(() => null)
  const looked = lookAtLedger(engine, parts).catch((err: unknown) => {
    if (!isAway(err)) throw err
    engine.watch.log.warn({ err }, 'the erasure ledger could not be read')
    return null
  })
  try {
    return (await Promise.race([looked, waited])) ?? (await tellAway(engine, parts))
  } finally {
    late.abort()
  }
}

/**
 * A store that is empty, though backups were made there, is a disk that is not mounted; one that refuses us has had its credentials
 * changed. Neither may keep a hospital's alerts from coming after a reboot.
 */
const away: ReadonlySet<string> = new Set(['object-store-unreachable', 'object-store-refused', 'backup-store-empty'])
const isAway = (err: unknown): boolean => err instanceof Failure && away.has(err.code)

async function lookAtLedger(engine: Engine, parts: BackupParts): Promise<ErasedAgain> {
  const { objects, masters, own, people } = parts
  if (own) await assertStoreRemembered(own.dataDir, objects, masters)
  for await (const _ of objects.list('key/')) {
    const ledger = await newestLedger(await openStore(parts))
    const erased = await applyLedger(engine.db.pool, ledger)
    if (ledger.people) await people?.reapply(ledger.people.value)
    const words = `This database is older than the erasure ledger: ${erased} keys were destroyed again.`
    return { notices: erased === 0 ? [] : [words], vouched: ledger.people?.entries ?? 0 }
  }
  return { notices: [], vouched: 0 }
}

/** Seen on System health too, until the stage has made up for it. */
async function tellAway({ db, clock }: Engine, { objects }: BackupParts): Promise<ErasedAgain> {
  await writeBackupState(db.pool, { errorCode: 'object-store-unreachable', errorSince: clock.now() })
  const words = `The backup store (${objects.name}) does not answer: whether this database is older than the erasure ledger is looked at as soon as it does.`
  return { notices: [words], vouched: 0 }
}

/** What a restore still owes before doors may open: this version's schema, and the people whom the ledger says are erased. */
export async function finishRestore(restored: {
  readonly config: Config
  readonly masters: MasterKeys
  readonly url: string
  readonly ledger: ErasureLedger
}): Promise<void> {
  const { masters, url, config, ledger } = restored
  await prepareDatabase(url)
  const opened = openEngine({
    url,
    masters,
    dataDir: config.dataDir,
    watch: makeWatch({ level: 'warn' }),
    maxConnections: 4,
  })
  try {
    await assertMasterFits(opened.engine.db.pool, masters)
    const copies = ledger.people ? [ledger.people.value as LedgerCopy] : []
    await reapplyErasures(opened.engine, forgetsOf(opened.engine), copies)
  } finally {
    await opened.close()
  }
}

/** The ledger of erased people, kept by the room that erases them. */
export const peopleLedger = (engine: Engine): PeopleLedger => ({
  async copy() {
    const value = await exportLedger(engine)
    return { entries: value.entries.length, value }
  },
  reapply: (value) => reapplyErasures(engine, forgetsOf(engine), [value as LedgerCopy]),
})
