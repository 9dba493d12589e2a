/** How this installation backs itself up: the store that the configuration names, and what of this machine goes there. */
import { relative } from 'node:path'
import {
  applyLedger,
  type BackupParts,
  type Engine,
  type ErasureLedger,
  type MasterKeys,
  makeWatch,
  newestLedger,
  type ObjectStore,
  openEngine,
  openObjectStore,
  openStore,
  type PeopleLedger,
  prepareDatabase,
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
  const without = new Set(['ballast', 'running.json', 'restoring.json', relative(dataDir, masterKeyFile)])
  const floor = config.diskFloorBytes === undefined ? {} : { floorBytes: config.diskFloorBytes }
  const own = url === null ? null : { url, dataDir, without, ...floor }
  return { objects, masters, settings: config.backup.settings, own, people: peopleLedger(engine) }
}

/** A store that does not answer must not keep doors shut for longer, ms: the stage looks again as soon as it answers. */
const PATIENCE_MS = 10_000

/**
 * Before any door opens: a database that is older than the erasure ledger was brought back by somebody, and whoever was erased since is
 * erased again.
 * @returns what the operator must be told
 */
export async function eraseAgain(engine: Engine, parts: BackupParts | null): Promise<string[]> {
  if (parts === null) return []
  const late = new AbortController()
  const look = async (): Promise<string[]> => {
    for await (const _ of parts.objects.list('key/')) {
      const ledger = await newestLedger(await openStore(parts))
      const erased = await applyLedger(engine.db.pool, ledger)
      if (ledger.people) await parts.people?.reapply(ledger.people.value)
      return erased === 0
        ? []
        : [`This database is older than the erasure ledger: ${erased} keys were destroyed again.`]
    }
    return []
  }
  const away = `The backup store (${parts.objects.name}) does not answer: whether this database is older than the erasure ledger is looked at as soon as it does.`
  try {
    return await Promise.race([look(), engine.clock.sleep(PATIENCE_MS, late.signal).then(() => [away])])
  } catch (err) {
    engine.watch.log.warn({ err }, 'the erasure ledger could not be read')
    return [away]
  } finally {
    late.abort()
  }
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
