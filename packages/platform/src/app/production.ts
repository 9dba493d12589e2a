/**
 * What production refuses to start with. An evaluation on a laptop may have all of it; a hospital may not have it by oversight. Some
 * refusals can be waived by name (CARELOOP_WAIVE), by whoever has another measure in place: that is told at every start.
 */
import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { isElsewhere } from '../audit/index.ts'
import type { Config, Waiver } from './config.ts'
import { isDemoData } from './demo-data.ts'
import { appFailure } from './errors.ts'
import { isLoopback } from './loopback.ts'
import { opensDoors, opensPages } from './stages.ts'

export interface Refusal {
  readonly what: string
  /** What to do about it. */
  readonly mend: string
  /** By which word it can be waived; absent = by none. */
  readonly waiver?: Waiver
}

/** Everything that is wrong with these settings for production, waived or not. Looks at paths, changes nothing. */
export const productionRefusals = (config: Config): Refusal[] =>
  [
    ...pages(config),
    ...doors(config),
    ...database(config),
    ...masterKey(config),
    ...mail(config),
    ...backup(config),
    ...auditSink(config),
    isDemoData(config) && {
      what: `The data in ${config.dataDir} are the demo's, with users whose passwords are known.`,
      mend: 'Name an empty folder in CARELOOP_DATA.',
    },
  ].filter((refusal) => refusal !== false)

/** @throws Failure `production-refused`, with all that is wrong at once */
export function assertProduction(config: Config): void {
  if (config.mode !== 'production') return
  const standing = productionRefusals(config).filter(({ waiver }) => !isWaived(config, waiver))
  if (standing.length === 0) return
  const lines = standing.map(
    ({ what, mend, waiver }) =>
      `- ${what} ${mend}${waiver === undefined ? '' : ` (Or waive it: CARELOOP_WAIVE=${waiver})`}`,
  )
  throw appFailure('production-refused', `Careloop does not start so in production:\n${lines.join('\n')}`)
}

/** What was waived and stands: whoever starts it is reminded each time. */
export const waiverNotices = (config: Config): string[] =>
  config.mode !== 'production'
    ? []
    : productionRefusals(config)
        .filter(({ waiver }) => isWaived(config, waiver))
        .map(({ what, waiver }) => `Waived (${waiver}): ${what}`)

export const isWaived = (config: Pick<Config, 'waived'>, waiver: Waiver | undefined): boolean =>
  waiver !== undefined && config.waived.includes(waiver)

function pages({ role, http, tls, publicOrigin, trustedProxies }: Config): Refusal[] {
  if (!opensPages(role) || tls !== undefined) return []
  const proxied = publicOrigin?.startsWith('https:') === true && trustedProxies.length > 0
  if (isLoopback(http.host) && (publicOrigin === undefined || proxied)) return []
  if (isLoopback(http.host))
    return [
      {
        what: `The pages are reached at ${publicOrigin} and no TLS proxy is named.`,
        mend: 'Use an https:// address in CARELOOP_PUBLIC_ORIGIN and name the proxy in CARELOOP_TRUSTED_PROXIES.',
      },
    ]
  return [
    {
      what: `Pages and API listen on ${http.host}, beyond this machine, without TLS.`,
      mend: 'Name CARELOOP_TLS_CERT_FILE and CARELOOP_TLS_KEY_FILE, or listen on 127.0.0.1 behind a TLS proxy on this machine.',
      // A proxy on another machine, over a network that is guarded otherwise. Without any proxy there is nothing to waive.
      ...(proxied ? { waiver: 'plain-http' as const } : {}),
    },
  ]
}

function doors({ role, mqtt }: Config): Refusal[] {
  if (!opensDoors(role) || mqtt === null || isLoopback(mqtt.host)) return []
  return [
    {
      what: `The MQTT door on ${mqtt.host}:${mqtt.port} takes tokens without TLS, beyond this machine.`,
      mend: 'Use the TLS door (CARELOOP_MQTTS_PORT) and set CARELOOP_MQTT_PORT=off.',
      waiver: 'plain-mqtt',
    },
  ]
}

function database({ databaseUrl }: Config): Refusal[] {
  if (databaseUrl === undefined)
    return [
      {
        what: 'The embedded database is for evaluation and single sites: one machine, no standby.',
        mend: 'Name a PostgreSQL in DATABASE_URL.',
        waiver: 'embedded-database',
      },
    ]
  const url = new URL(databaseUrl)
  const socket = url.searchParams.get('host') ?? ''
  const isLocal = url.hostname === '' ? isAbsolute(socket) : isLoopback(url.hostname)
  if (isLocal || url.searchParams.get('sslmode') === 'verify-full') return []
  return [
    {
      what: `The database on ${url.hostname} is reached without TLS that proves who it is.`,
      mend: 'Add sslmode=verify-full (and sslrootcert=FILE for an authority of your own) to DATABASE_URL.',
    },
  ]
}

/** Whoever takes the data, or a backup of them, must not have what opens them; and a restore must not take the ledger along. */
function masterKey({ dataDir, backup: wanted, masterKeyFile, erasureLedgerFile, kms }: Config): Refusal[] {
  const copies = wanted?.store.kind === 'folder' ? [wanted.store.folder] : []
  const refusals: Refusal[] = []
  if (kms === undefined && [dataDir, ...copies].some((folder) => liesUnder(masterKeyFile, folder)))
    refusals.push({
      what: `The master key lies in the data directory or where backups go (${masterKeyFile}): a copy of the data holds its own key.`,
      mend: 'Move the file elsewhere and name the new path in CARELOOP_MASTER_KEY_FILE.',
    })
  // Beside the master key, unless said otherwise: moved together.
  else if (liesUnder(erasureLedgerFile, dataDir))
    refusals.push({
      what: `The erasure ledger lies in the data directory (${erasureLedgerFile}): who puts an older copy of the data back puts an older ledger back.`,
      mend: 'Name a path outside of it in CARELOOP_ERASURE_LEDGER.',
    })
  return refusals
}

function mail({ mail: settings }: Config): Refusal[] {
  if (settings === undefined || settings.tls !== 'none' || isLoopback(settings.host)) return []
  return [
    {
      what: `E-mails and the password of the mail server go to ${settings.host} without TLS.`,
      mend: 'Use smtps:// or a server that offers STARTTLS in CARELOOP_SMTP_URL.',
    },
  ]
}

/** What proves that the trail was not changed must lie where who has this machine cannot change it. */
function auditSink({ auditSinks, auditKeyFile, dataDir }: Config): Refusal[] {
  const refusals: Refusal[] = []
  if (liesUnder(auditKeyFile, dataDir))
    refusals.push({
      what: `The key that signs the audit trail lies in the data directory (${auditKeyFile}).`,
      mend: 'Move the file elsewhere and name the new path in CARELOOP_AUDIT_KEY_FILE.',
    })
  if (!auditSinks.some(isElsewhere))
    refusals.push({
      what: 'Checkpoints of the audit trail go nowhere but to this machine: who has it can change the trail unseen.',
      mend: 'Name a bucket with object lock, a syslog over TLS or an HTTPS collector in CARELOOP_AUDIT_SINK.',
      waiver: 'no-audit-sink',
    })
  return refusals
}

/** A store beside the data goes with them: for both databases, since the erasure ledger lies there too. */
function backup({ backup: wanted, dataDir, databaseUrl }: Config): Refusal[] {
  if (wanted === undefined)
    return [
      {
        what:
          databaseUrl === undefined
            ? 'There is no backup: what this disk holds is lost with it.'
            : 'The erasure ledger is kept nowhere but in the database: a restore of it would bring erased people back.',
        mend: 'Name a folder on another disk, or a bucket, in CARELOOP_BACKUP.',
        waiver: 'no-backup',
      },
    ]
  if (wanted.store.kind !== 'folder' || !liesUnder(wanted.store.folder, dataDir)) return []
  return [
    {
      what: `Backups lie in the data directory (${wanted.store.folder}): they are lost with it.`,
      mend: 'Name a folder on another disk, or a bucket, in CARELOOP_BACKUP.',
    },
  ]
}

/** Also by a link: what counts is where the file is. */
export function liesUnder(file: string, folder: string): boolean {
  const inside = relative(real(folder), real(file))
  return inside === '' || (!inside.startsWith('..') && !isAbsolute(inside))
}

/** The real path of what is there, or will be: the nearest folder that exists decides. */
function real(path: string): string {
  const whole = resolve(path)
  try {
    return realpathSync(whole)
  } catch {
    const parent = dirname(whole)
    return parent === whole ? whole : join(real(parent), whole.slice(parent.length))
  }
}
