/** Backups that do not go on must reach who looks at no page: measures from the row, and an error in the log each hour while it lasts. */
import type { EpochMs } from '@careloop/contract'
import { Gauge } from 'prom-client'
import type { Engine } from '../ports.ts'
import { type BackupState, readBackupState } from './backup-state.ts'

const LOOK_MS = 60_000
/** A store may be away for a moment; longer is told. */
const LASTING_MS = 15 * 60_000
const AGAIN_MS = 3_600_000

type Told = Pick<BackupState, 'errorSince' | 'walAt' | 'ledgerAt'>

/** @returns since when backups do not go on, when that is long; null = they go on, or it is short */
export function lastingTrouble({ errorSince, walAt, ledgerAt }: Told, now: EpochMs): EpochMs | null {
  const silentSince = walAt ?? ledgerAt
  const since = Math.min(errorSince ?? Number.POSITIVE_INFINITY, silentSince ?? Number.POSITIVE_INFINITY)
  return now - since >= LASTING_MS ? since : null
}

type Parts = Pick<Engine, 'clock'> & {
  readonly db: { readonly pool: Parameters<typeof readBackupState>[0] }
  readonly watch: Pick<Engine['watch'], 'metrics'> & { readonly log: Pick<Engine['watch']['log'], 'error'> }
}

/** @returns the stop */
export function tellLastingTrouble(parts: Parts): () => void {
  const { clock, watch } = parts
  makeGauges(parts)
  let toldAt: EpochMs | null = null
  const look = async () => {
    const state = await readBackupState(parts.db.pool)
    const now = clock.now()
    const since = lastingTrouble(state, now)
    if (since === null) toldAt = null
    if (since === null || (toldAt !== null && now - toldAt < AGAIN_MS)) return
    toldAt = now
    watch.log.error(
      { errorCode: state.errorCode, since: new Date(since).toISOString() },
      'backups do not go on: what is written now would be lost with this disk. See: careloop backup check',
    )
  }
  // A database that is away has told so itself.
  return clock.every(LOOK_MS, () => void look().catch(() => {}))
}

const GAUGES: readonly (readonly [name: string, help: string, of: (state: BackupState) => EpochMs | null])[] = [
  [
    'careloop_backup_shipped_timestamp_seconds',
    'When everything durable was last in the backup store',
    ({ walAt, ledgerAt }) => walAt ?? ledgerAt,
  ],
  ['careloop_backup_base_timestamp_seconds', 'When the newest good base copy was finished', ({ baseAt }) => baseAt],
  [
    'careloop_backup_trouble_since_timestamp_seconds',
    'Since when backups do not go on; 0 = they do',
    ({ errorSince }) => errorSince ?? 0,
  ],
]

/** From the row at each question: also right in a process that has just started, and in one that another ships for. */
function makeGauges({ watch, db }: Parts): void {
  for (const [name, help, of] of GAUGES)
    new Gauge({
      ...{ name, help, registers: [watch.metrics] },
      async collect() {
        const at = await readBackupState(db.pool).then(of, () => null)
        if (at !== null) this.set(at / 1000)
      },
    })
}
