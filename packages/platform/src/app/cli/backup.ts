/** `careloop backup`: what an operator does with backups. docs/backup.md tells it step by step. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  listBases,
  makeClock,
  makeIds,
  type ObjectStore,
  openStore,
  readBackupState,
  readManifest,
  readMarks,
  restore,
  salvage,
  takeOver,
  verifyBackup,
  writeBackupState,
} from '../../engine/index.ts'
import { backupFacts, backupTroubles } from '../backup-health.ts'
import { backupStoreOf, finishRestore } from '../backups.ts'
import type { Config } from '../config.ts'
import { appFailure } from '../errors.ts'
import type { Command, Options } from '../main.ts'
import { openMasters } from '../open-masters.ts'
import { findRunning } from '../running.ts'
import { backupNow } from './backup-now.ts'
import { need, withRooms } from './with-rooms.ts'

const USAGE =
  'careloop backup list | run | check | verify | restore --into DIR [--to TIME] [--backup ID] | salvage DIR | take-over | report --finished-at TIME'

const verbs: Readonly<Record<string, Command>> = {
  list: (config) => list(config),
  run: (config) => backupNow(config),
  check: (config) => check(config),
  verify: (config, _, options) => verify(config, options),
  restore: (config, _, options) => bringBack(config, options),
  salvage: (config, [, dir]) => save(config, dir),
  'take-over': (config) => shipFromHere(config),
  report: (config, _, options) => report(config, options),
}

export const backupCommand: Command = async (config, words, options) => {
  const verb = verbs[words[0] ?? '']
  if (!verb) throw appFailure('usage', USAGE)
  await verb(config, words, options)
}

const clock = makeClock()
const iso = (at: number | null): string => (at === null ? 'never' : new Date(at).toISOString())

/** The store and the master key that is there already: a new one could open nothing. */
async function open(
  config: Config,
): Promise<{ objects: ObjectStore; masters: Awaited<ReturnType<typeof openMasters>>['keys'] }> {
  const objects = backupStoreOf(config, { clock, ids: makeIds(clock) })
  if (!objects) throw appFailure('usage', 'No store is named. Set CARELOOP_BACKUP: docs/backup.md')
  if (config.kms === undefined && !existsSync(config.masterKeyFile))
    throw appFailure(
      'usage',
      `There is no master key at ${config.masterKeyFile}. Put the file from escrow there, or name its path in CARELOOP_MASTER_KEY_FILE.`,
    )
  return { objects, masters: (await openMasters(config)).keys }
}

/** Of two copies of one database the one on this data directory ships from now on. */
async function shipFromHere(config: Config): Promise<void> {
  await takeOver(await openStore(await open(config)), config.dataDir, { clock, ids: makeIds(clock) })
  console.log(`From now on the server on ${config.dataDir} ships to this store, and no other does.`)
}

async function list(config: Config): Promise<void> {
  const store = await openStore(await open(config))
  const rows = []
  for (const id of await listBases(store)) {
    const manifest = await readManifest(store, id)
    if (!manifest) continue
    const { finishedAt, bytes, putBytes } = manifest
    rows.push({
      backup: id,
      finished: iso(finishedAt),
      MB: Math.ceil(bytes / 1e6),
      'new MB': Math.ceil(putBytes / 1e6),
    })
  }
  if (rows.length === 0) console.log('No finished backup yet.')
  else console.table(rows)
  for (const mark of await readMarks(store))
    console.log(`log         until ${iso(mark.at)} (timeline ${mark.timeline}); erasure ledger ${mark.ledger}`)
}

async function bringBack(config: Config, options: Options): Promise<void> {
  const into = resolve(need(options, 'into'))
  const { objects, masters } = await open(config)
  const restored = await restore({
    ...{ objects, masters, into, clock },
    ...wish(options),
    say: (words) => console.log(words),
    finish: (url, ledger) => finishRestore({ config: { ...config, dataDir: into }, masters, url, ledger }),
  })
  console.log(`restored    backup ${restored.base} into ${into}`)
  console.log(
    `up to       ${restored.until === null ? 'the end of the base copy' : iso(restored.until)} (last transaction)`,
  )
  console.log(`erased      ${restored.erased} keys destroyed again by erasure ledger ${restored.ledger.number}`)
  console.log(`Start it:   CARELOOP_DATA=${into} npm start`)
}

function wish(options: Options): { to?: number; base?: string } {
  const { to, backup } = options
  return {
    ...(typeof to === 'string' ? { to: time(to, 'to') } : {}),
    ...(typeof backup === 'string' ? { base: backup } : {}),
  }
}

function time(text: string, option: string): number {
  const at = Date.parse(text)
  if (!Number.isNaN(at) && /T.*(Z|[+-]\d\d:?\d\d)$/.test(text)) return at
  throw appFailure('usage', `--${option}: a time with its zone is expected, e.g. 2026-11-22T21:30:00Z`)
}

/** Beside the living database: in a folder for temporary files, or below --into when that is too small. */
async function verify(config: Config, options: Options): Promise<void> {
  const { objects, masters } = await open(config)
  const verified = await verifyBackup({
    ...{ objects, masters, clock },
    ...wish(options),
    ...(typeof options.into === 'string' ? { below: resolve(options.into) } : {}),
    say: (words) => console.log(words),
  })
  console.log(
    `well        backup ${verified.base}: started, every table read, ${verified.commits} commits of the reading log`,
  )
  if (!config.databaseUrl && !findRunning(config.dataDir)) return
  await withRooms(config, ({ engine }) =>
    writeBackupState(engine.db.pool, { verifiedAt: clock.now(), verifiedBase: verified.base }),
  )
}

async function save(config: Config, dir: string | undefined): Promise<void> {
  if (!dir) throw appFailure('usage', 'careloop backup salvage DIR: the data directory of the dead server')
  const { segments, end } = await salvage(await openStore(await open(config)), resolve(dir), clock.now())
  console.log(`salvaged    ${segments} segments; the log in the store ends at ${end}`)
  console.log('Now: careloop backup restore --into DIR')
}

async function check(config: Config): Promise<void> {
  const state = await withRooms(config, ({ engine }) => readBackupState(engine.db.pool))
  for (const { what, at } of backupFacts(config, state)) console.log(`${what.padEnd(46)}${iso(at)}`)
  const troubles = backupTroubles(config, state, clock.now())
  for (const { what, mend } of troubles) console.log(`BAD  ${what}\n     ${mend}`)
  if (troubles.length > 0) process.exitCode = 1
}

async function report(config: Config, options: Options): Promise<void> {
  const reportedAt = time(need(options, 'finished-at'), 'finished-at')
  if (reportedAt > clock.now()) throw appFailure('usage', '--finished-at lies in the future.')
  await withRooms(config, ({ engine }) => writeBackupState(engine.db.pool, { reportedAt }))
}
