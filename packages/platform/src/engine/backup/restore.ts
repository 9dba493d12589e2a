/**
 * A restore: files from the store, then PostgreSQL replays the log to its end or to a time, then whoever was erased since is erased
 * again. Until that is done, a note in the directory keeps every door shut.
 */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { EpochMs } from '@careloop/contract'
import pg from 'pg'
import { engineFailure } from '../errors.ts'
import type { MasterKeys } from '../keys/master-key.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { Clock } from '../ports.ts'
import { startPostgres } from '../postgres/start-postgres.ts'
import { type BackupState, writeBackupState } from './backup-state.ts'
import { applyLedger, type ErasureLedger, ledgerOf } from './erasure-ledger.ts'
import { fetchBackup } from './fetch-backup.ts'
import { planRestore, type RestorePlan, type RestoreWish } from './plan-restore.ts'
import { endRestoreNote } from './restore-note.ts'
import { makeSealedStore, type SealedStore } from './sealed-store.ts'
import { readStoreKey } from './store-key.ts'

/** PostgreSQL's directory below the data directory. */
export const CLUSTER = 'postgres/cluster'

export interface Restored {
  readonly base: string
  /** Last transaction that came back, ms; null when the log behind the copy held none. */
  readonly until: EpochMs | null
  /** Keys that were destroyed again. */
  readonly erased: number
  readonly ledger: ErasureLedger
}

export interface RestoreOptions extends RestoreWish {
  readonly objects: ObjectStore
  readonly masters: MasterKeys
  /** The data directory to be: empty or missing. */
  readonly into: string
  /** Told what is being done. */
  readonly say?: (words: string) => void
  /** More that must be done before doors may open, on the restored database. */
  readonly finish?: (url: string, ledger: ErasureLedger) => Promise<void>
  readonly clock: Pick<Clock, 'now'>
}

/** @throws Failure `backup-none` when the store is empty, `backup-key-foreign`, and what planning and fetching throw */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const into = resolve(options.into)
  const say = options.say ?? (() => {})
  const store = await openStore(options)
  const plan = await planRestore(store, options)
  const ledger = await ledgerOf(store, plan.ledger)
  say(
    `backup ${plan.manifest.id}: ${plan.manifest.chunks.length} objects, ${plan.log.segments.length} segments of the log`,
  )
  await fetchBackup(store, plan, into, CLUSTER)
  prepareRecovery(join(into, CLUSTER), plan)
  say('the database replays the log')
  const done = await recover(into, plan, ledger, options)
  endRecovery(join(into, CLUSTER))
  endRestoreNote(into)
  return { base: plan.manifest.id, ledger, ...done }
}

export async function openStore({
  objects,
  masters,
}: Pick<RestoreOptions, 'objects' | 'masters'>): Promise<SealedStore> {
  const key = await readStoreKey(objects, masters)
  if (key) return makeSealedStore(objects, key)
  throw engineFailure('backup-none', `There is no backup in ${objects.name}. Is CARELOOP_BACKUP the right place?`)
}

const [BEGIN, END] = ['# careloop restore: begin', '# careloop restore: end']

/**
 * The whole log lies in pg_wal already, so nothing needs to be fetched while it is replayed; PostgreSQL wants a command all the same,
 * and takes a failing one for "there is no such file in the archive", after which it looks there.
 */
function prepareRecovery(cluster: string, plan: RestorePlan): void {
  const lines = [
    BEGIN,
    `restore_command = '${process.platform === 'win32' ? 'exit 1' : 'false'}'`,
    `recovery_target_timeline = '${plan.line.timeline}'`,
    ...(plan.stopAt === null
      ? []
      : [`recovery_target_time = '${new Date(plan.stopAt).toISOString().replace('T', ' ').replace('Z', '+00')}'`]),
    `recovery_target_action = 'promote'`,
    // Nobody reads while it is replayed: who starts it waits until it can be written to.
    `hot_standby = 'off'`,
    END,
  ]
  appendFileSync(join(cluster, 'postgresql.auto.conf'), `\n${lines.join('\n')}\n`)
  writeFileSync(join(cluster, 'recovery.signal'), '', { mode: 0o600 })
}

function endRecovery(cluster: string): void {
  const path = join(cluster, 'postgresql.auto.conf')
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.slice(0, text.indexOf(BEGIN)) + text.slice(text.indexOf(END) + END.length + 1))
}

async function recover(
  into: string,
  plan: RestorePlan,
  ledger: ErasureLedger,
  { finish, clock }: Pick<RestoreOptions, 'finish' | 'clock'>,
): Promise<Pick<Restored, 'until' | 'erased'>> {
  const server = await startPostgres({ dataDir: join(into, 'postgres') }).catch((cause: Error) => {
    throw /recovery ended before configured recovery target/.test(cause.message) ? cutShort(plan, cause) : cause
  })
  const pool = new pg.Pool({ connectionString: server.url, max: 2 })
  pool.on('error', () => {})
  try {
    const until = lastTransaction(join(into, CLUSTER, 'log'))
    const erased = await applyLedger(pool, ledger)
    await tellRestored(pool, { restoredAt: clock.now(), restoredBase: plan.manifest.id, restoredUntil: until })
    await finish?.(server.url, ledger)
    return { until, erased }
  } finally {
    await pool.end()
    await server.stop()
  }
}

/** A copy from before there was such a table tells nothing: its migration comes with the first start. */
async function tellRestored(pool: pg.Pool, told: Partial<BackupState>): Promise<void> {
  const { rows } = await pool.query<{ there: boolean }>(`select to_regclass('engine.backup') is not null as there`)
  if (rows[0]!.there) await writeBackupState(pool, told)
}

/** PostgreSQL tells it in its log only: the server was started anew since, and the question is answered by the one that replayed. */
function lastTransaction(logs: string): EpochMs | null {
  const times = readdirSync(logs).flatMap((name) =>
    [...readFileSync(join(logs, name), 'utf8').matchAll(/last completed transaction was at log time ([^\n]+)/g)].map(
      ([, text]) => Date.parse(text!.replace(/ ?(UTC|\+00)$/, 'Z').replace(' ', 'T')),
    ),
  )
  const until = Math.max(...times)
  return Number.isFinite(until) ? Math.floor(until) : null
}

function cutShort(plan: RestorePlan, cause: unknown) {
  return engineFailure(
    'backup-gap',
    `The log behind backup ${plan.manifest.id} ends before that time: a part of it is missing in the store. Choose an earlier time, or a newer backup.`,
    { cause },
  )
}
