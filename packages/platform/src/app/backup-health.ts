/** Whether backups are well: what the health page, the doctor and the measures say of them. Pure. */
import type { BackupState } from '../engine/index.ts'
import type { Config } from './config.ts'

export interface BackupTrouble {
  readonly what: string
  readonly mend: string
}

type Wanted = Pick<Config, 'backup' | 'databaseUrl'>

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]
/** An external database's own backup is expected once a day, with some hours of grace. */
const REPORT_MS = 30 * HOUR
/** A drill that nobody has made for so long proves nothing any more. */
const DRILL_MS = 100 * DAY

export interface BackupFact {
  readonly what: string
  readonly at: number | null
  readonly detail: string | null
}

/** When things were last done; null = never. */
export function backupFacts({ backup, databaseUrl }: Wanted, state: BackupState): BackupFact[] {
  if (!backup) return []
  const mb = (bytes: number | null) => `${Math.ceil((bytes ?? 0) / 1e6)} MB`
  const base = state.baseId === null ? null : `${mb(state.baseBytes)}, ${mb(state.basePutBytes)} of it new`
  const own: BackupFact[] = [
    { what: 'Base copy', at: state.baseAt, detail: base },
    { what: 'Log shipped', at: state.walAt, detail: null },
    { what: 'Drill (a backup was restored and read)', at: state.verifiedAt, detail: state.verifiedBase },
  ]
  const external: BackupFact[] = [
    { what: 'Backup of the external database, as reported', at: state.reportedAt, detail: null },
  ]
  const ledger: BackupFact = { what: 'Erasure ledger in the store', at: state.ledgerAt, detail: null }
  const restored: BackupFact[] =
    state.restoredAt === null
      ? []
      : [{ what: 'This database was restored', at: state.restoredAt, detail: state.restoredBase }]
  return [...(databaseUrl === undefined ? own : external), ledger, ...restored]
}

/** Everything an operator must be told; empty when all is well. */
export function backupTroubles(config: Wanted, state: BackupState, now: number): BackupTrouble[] {
  const { backup, databaseUrl } = config
  if (!backup)
    return [
      {
        what: databaseUrl === undefined ? 'there is no backup' : 'the erasure ledger is kept in the database only',
        mend: 'Name a folder on another disk, or a bucket, in CARELOOP_BACKUP: docs/backup.md.',
      },
    ]
  const troubles = databaseUrl === undefined ? ofOwn(backup.settings, state, now) : ofExternal(state, now)
  if (state.errorCode !== null && state.errorSince !== null)
    troubles.push({
      what: `backups do not go on since ${iso(state.errorSince)} (${state.errorCode})`,
      mend: 'See docs/errors.md for the code, and the log.',
    })
  return troubles
}

function ofOwn(settings: NonNullable<Config['backup']>['settings'], state: BackupState, now: number): BackupTrouble[] {
  const { baseAt, walAt, verifiedAt } = state
  const troubles: BackupTrouble[] = []
  if (baseAt === null || now - baseAt > 2 * settings.baseHours * HOUR)
    troubles.push({
      what: baseAt === null ? 'no base copy was finished yet' : `the newest base copy is ${ago(now - baseAt)} old`,
      mend: 'See that the store answers, then: careloop backup run',
    })
  if (walAt === null || now - walAt > 5 * MINUTE)
    troubles.push({
      what: walAt === null ? 'nothing was shipped yet' : `nothing was shipped for ${ago(now - walAt)}`,
      mend: 'See that the server runs and the store answers: what is written now would be lost with this disk.',
    })
  if (verifiedAt === null || now - verifiedAt > DRILL_MS)
    troubles.push({
      what:
        verifiedAt === null
          ? 'no backup was ever restored for trial'
          : `the last drill was ${ago(now - verifiedAt)} ago`,
      mend: 'careloop backup verify',
    })
  return troubles
}

function ofExternal({ reportedAt }: BackupState, now: number): BackupTrouble[] {
  if (reportedAt !== null && now - reportedAt <= REPORT_MS) return []
  return [
    {
      what:
        reportedAt === null
          ? 'no backup of the external database was ever reported'
          : `the last backup reported of the external database was finished ${ago(now - reportedAt)} ago`,
      mend: 'At the end of each backup say: careloop backup report --finished-at TIME',
    },
  ]
}

const iso = (at: number): string => new Date(at).toISOString()

function ago(ms: number): string {
  if (ms >= 2 * DAY) return `${Math.floor(ms / DAY)} days`
  if (ms >= 2 * HOUR) return `${Math.floor(ms / HOUR)} hours`
  return `${Math.ceil(ms / MINUTE)} minutes`
}
