/** What the environment says, read once and checked, with errors that name the variable. */

import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type AuditSinkSettings, readAuditSink } from '../audit/index.ts'
import {
  type BackupSettings,
  defaultBackupSettings,
  isNetwork,
  masterKeyPath,
  type ObjectStoreSettings,
  readObjectStoreSettings,
  type TransitPlace,
} from '../engine/index.ts'
import { type MailSettings, readMailSettings } from '../integrations/index.ts'
import { appFailure } from './errors.ts'

export interface Config {
  /** `production` refuses to start in ways that only an evaluation may have: app/production.ts. */
  readonly mode: 'evaluation' | 'production'
  /** Refusals of production that the operator takes upon themselves. */
  readonly waived: readonly Waiver[]
  /** TLS of pages and API from files; absent = plain HTTP, for loopback or behind a proxy. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  readonly dataDir: string
  /** External database; absent = the embedded one. Holds a password: never log it. */
  readonly databaseUrl?: string
  readonly masterKeyFile: string
  /** The copy of the erasure ledger outside the database; beside the master key unless said otherwise. */
  readonly erasureLedgerFile: string
  /** Transit of Vault or OpenBao, in place of the master key file. */
  readonly kms?: TransitPlace
  readonly http: { readonly host: string; readonly port: number }
  /** Plain MQTT, loopback unless said otherwise. null = closed. */
  readonly mqtt: { readonly host: string; readonly port: number } | null
  readonly mqtts: { readonly host: string; readonly port: number } | null
  /** Stages that this process runs. */
  readonly role: Role
  /** Names that the server certificate for devices carries beside localhost and this machine's name. */
  readonly serverNames: readonly string[]
  readonly diskFloorBytes?: number
  readonly ballastBytes?: number
  /** As browsers send it: scheme, host and port, nothing behind. */
  readonly publicOrigin?: string
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  /** Inner networks to which URLs that users set may lead: an identity provider inside the hospital. */
  readonly allowPrivateUrls: readonly string[]
  /** Wrong passwords and codes a minute from one address. */
  readonly signInsPerMinute: number
  /** Requests a second that one service token may go on asking. */
  readonly serviceRequestsPerSecond: number
  /** Minutes without a human being after which a session is locked. */
  readonly idleLockMinutes: number
  readonly operatorToken?: string
  /** The mail server for notifications; absent = they stand in the pages only. Holds a password: never log it. */
  readonly mail?: MailSettings
  /** Where backups go; absent = nowhere. Holds a secret: never log it. */
  readonly backup?: { readonly store: ObjectStoreSettings; readonly settings: BackupSettings }
  /** The key that signs the audit trail's checkpoints. */
  readonly auditKeyFile: string
  /** Where checkpoints go. Holds secrets: never log it. */
  readonly auditSinks: readonly AuditSinkSettings[]
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** Sealing spans, shortened by benches. */
  readonly sealAfterMs?: number
}

export const roles = ['all', 'ingest', 'worker', 'api'] as const
export type Role = (typeof roles)[number]

export const modes = ['evaluation', 'production'] as const

/** What production can be made to accept, by name, in CARELOOP_WAIVE. Each is told at every start and by the doctor. */
export const waivers = ['embedded-database', 'plain-http', 'plain-mqtt', 'no-audit-sink', 'no-backup'] as const
export type Waiver = (typeof waivers)[number]

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

type Env = Readonly<Record<string, string | undefined>>

/** @throws Failure `config-invalid` */
export function readConfig(env: Env): Config {
  const dataDir = resolve(env.CARELOOP_DATA || '.careloop')
  const floor = bytes(env, 'CARELOOP_DISK_FLOOR_BYTES')
  const ballast = bytes(env, 'CARELOOP_BALLAST_BYTES')
  const sealAfterMs = bytes(env, 'CARELOOP_SEAL_AFTER_MS')
  const masterKeyFile = masterKeyPath({
    configured: env.CARELOOP_MASTER_KEY_FILE,
    configHome: env.XDG_CONFIG_HOME,
    home: homedir(),
  })
  return {
    dataDir,
    mode: oneOf(env, 'CARELOOP_MODE', modes, 'evaluation'),
    waived: waived(env),
    ...tls(env),
    ...(env.DATABASE_URL ? { databaseUrl: databaseUrl(env.DATABASE_URL) } : {}),
    masterKeyFile,
    erasureLedgerFile: resolve(env.CARELOOP_ERASURE_LEDGER || `${masterKeyFile}.erasures`),
    ...kms(env),
    http: { host: env.CARELOOP_HTTP_HOST || '127.0.0.1', port: port(env, 'CARELOOP_HTTP_PORT', 8080) },
    mqtt: listener(env, 'CARELOOP_MQTT', '127.0.0.1', 1883),
    mqtts: listener(env, 'CARELOOP_MQTTS', '0.0.0.0', 8883),
    role: oneOf(env, 'CARELOOP_ROLE', roles, 'all'),
    serverNames: list(env.CARELOOP_SERVER_NAMES),
    ...(floor === undefined ? {} : { diskFloorBytes: floor }),
    ...(ballast === undefined ? {} : { ballastBytes: ballast }),
    ...(sealAfterMs === undefined ? {} : { sealAfterMs }),
    ...publicOrigin(env),
    ...(env.CARELOOP_OPERATOR_TOKEN ? { operatorToken: env.CARELOOP_OPERATOR_TOKEN } : {}),
    ...mail(env),
    ...backup(env),
    auditKeyFile: resolve(env.CARELOOP_AUDIT_KEY_FILE || auditKeyBeside(masterKeyFile, env.DATABASE_URL || dataDir)),
    auditSinks: auditSinks(env, dataDir),
    trustedProxies: list(env.CARELOOP_TRUSTED_PROXIES),
    allowPrivateUrls: allowPrivateUrls(env),
    signInsPerMinute: bytes(env, 'CARELOOP_SIGN_INS_PER_MINUTE') ?? 10,
    serviceRequestsPerSecond: bytes(env, 'CARELOOP_SERVICE_REQUESTS_PER_SECOND') ?? 2_000,
    idleLockMinutes: idleLockMinutes(env),
    logLevel: oneOf(env, 'CARELOOP_LOG', levels, 'info'),
  }
}

function waived(env: Env): Waiver[] {
  const isWaiver = (word: string): word is Waiver => (waivers as readonly string[]).includes(word)
  return list(env.CARELOOP_WAIVE).map((word) => {
    if (isWaiver(word)) return word
    throw invalid('CARELOOP_WAIVE', `words of ${waivers.join(', ')} are expected, separated by commas.`)
  })
}

function tls(env: Env): Pick<Config, 'tls'> {
  const { CARELOOP_TLS_CERT_FILE: certFile, CARELOOP_TLS_KEY_FILE: keyFile } = env
  if (!certFile && !keyFile) return {}
  if (certFile && keyFile) return { tls: { certFile: resolve(certFile), keyFile: resolve(keyFile) } }
  const missing = certFile ? 'CARELOOP_TLS_KEY_FILE' : 'CARELOOP_TLS_CERT_FILE'
  throw invalid(missing, 'certificate and key belong together: name both files, or none.')
}

function backup(env: Env): Pick<Config, 'backup'> {
  const { CARELOOP_BACKUP: said, CARELOOP_BACKUP_KEY_ID: keyId, CARELOOP_BACKUP_SECRET: secret } = env
  if (!said) return {}
  // A folder may be written as a plain path.
  const url = /^[a-z0-9]+:\/\//.test(said) ? said : pathToFileURL(resolve(said)).href
  const store = readObjectStoreSettings(url, { ...(keyId ? { keyId } : {}), ...(secret ? { secret } : {}) })
  if ('wrong' in store) throw invalid('CARELOOP_BACKUP', store.wrong)
  const d = defaultBackupSettings
  return {
    backup: {
      store,
      settings: {
        walSeconds: between(env, 'CARELOOP_BACKUP_SECONDS', 1, 60, d.walSeconds),
        baseHours: between(env, 'CARELOOP_BACKUP_BASE_HOURS', 1, 168, d.baseHours),
        retentionDays: between(env, 'CARELOOP_BACKUP_DAYS', 1, 3650, d.retentionDays),
        lockDays: between(env, 'CARELOOP_BACKUP_LOCK_DAYS', 0, 3650, d.lockDays),
        megabytesPerSecond: between(env, 'CARELOOP_BACKUP_MEGABYTES_PER_SECOND', 1, 10_000, d.megabytesPerSecond),
      },
    },
  }
}

/** One for each trail: a key remembers what it signed last. The name tells databases apart, without telling their passwords. */
function auditKeyBeside(masterKeyFile: string, database: string): string {
  const { host, pathname } = URL.canParse(database) ? new URL(database) : { host: '', pathname: database }
  const name = createHash('sha256').update(`${host}${pathname}`).digest('hex').slice(0, 8)
  return join(dirname(masterKeyFile), `audit-${name}.key`)
}

/** Without one, a folder beside the data: enough to try it, and nothing that holds against who has this machine. */
function auditSinks(env: Env, dataDir: string): AuditSinkSettings[] {
  const { CARELOOP_AUDIT_SINK_KEY_ID: keyId, CARELOOP_AUDIT_SINK_TOKEN: token } = env
  const secret = env.CARELOOP_AUDIT_SINK_SECRET
  const said = list(env.CARELOOP_AUDIT_SINK)
  const urls = said.length > 0 ? said : [pathToFileURL(join(dataDir, 'audit-checkpoints')).href]
  return urls.map((url) => {
    const read = readAuditSink(url, {
      ...{ ...(keyId ? { keyId } : {}), ...(secret ? { secret } : {}), ...(token ? { token } : {}) },
    })
    if ('wrong' in read) throw invalid('CARELOOP_AUDIT_SINK', read.wrong)
    return read
  })
}

function between(env: Env, name: string, least: number, most: number, otherwise: number): number {
  const value = bytes(env, name) ?? otherwise
  if (value >= least && value <= most) return value
  throw invalid(name, `a whole number from ${least} to ${most} is expected.`)
}

/** Data keys go over this line in the clear of TLS: plain HTTP is for an agent on this machine. */
function kms(env: Env): { kms?: TransitPlace } {
  const { CARELOOP_VAULT_ADDR: address, CARELOOP_VAULT_TOKEN_FILE: tokenFile } = env
  if (!address) return {}
  const url = URL.canParse(address) ? new URL(address) : null
  const isLocal = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url === null || url.username !== '' || !(url.protocol === 'https:' || isLocal))
    throw invalid('CARELOOP_VAULT_ADDR', 'https://host:8200 is expected, without user or password.')
  if (!tokenFile) throw invalid('CARELOOP_VAULT_TOKEN_FILE', 'the file that holds the token is expected.')
  return {
    kms: {
      ...{
        address: url.origin,
        mount: env.CARELOOP_VAULT_MOUNT || 'transit',
        key: env.CARELOOP_VAULT_KEY || 'careloop',
      },
      tokenFile: resolve(tokenFile),
      ...(env.CARELOOP_VAULT_CA_FILE ? { caFile: resolve(env.CARELOOP_VAULT_CA_FILE) } : {}),
      ...(env.CARELOOP_VAULT_NAMESPACE ? { namespace: env.CARELOOP_VAULT_NAMESPACE } : {}),
    },
  }
}

function invalid(name: string, message: string) {
  return appFailure('config-invalid', `${name}: ${message}`, { pointer: `/env/${name}` })
}

function mail(env: Env): { mail?: MailSettings } {
  const { CARELOOP_SMTP_URL: url, CARELOOP_MAIL_FROM: from } = env
  if (!url) return {}
  const read = readMailSettings(url, from || undefined, publicOrigin(env).publicOrigin)
  if (!('wrong' in read)) return { mail: read }
  throw invalid(read.wrong === 'url' ? 'CARELOOP_SMTP_URL' : 'CARELOOP_MAIL_FROM', read.says)
}

/**
 * Every change is compared with it, cookies are kept to TLS by it, and links in mails begin with it: a slash too many, or capitals,
 * would refuse everybody or send cookies in the clear.
 */
function publicOrigin(env: Env): { publicOrigin?: string } {
  const { CARELOOP_PUBLIC_ORIGIN: said } = env
  if (!said) return {}
  const url = URL.canParse(said) ? new URL(said) : null
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  if (isOrigin && url.href === `${url.origin}/`) return { publicOrigin: url.origin }
  throw invalid(
    'CARELOOP_PUBLIC_ORIGIN',
    'https://host, or https://host:port, is expected: the address of the pages without a path.',
  )
}

function allowPrivateUrls(env: Env): readonly string[] {
  const networks = list(env.CARELOOP_ALLOW_PRIVATE_URLS)
  if (networks.every(isNetwork)) return networks
  throw invalid('CARELOOP_ALLOW_PRIVATE_URLS', 'addresses or ranges are expected, such as 10.20.0.0/16.')
}

function port(env: Env, name: string, otherwise: number): number {
  const value = env[name] === undefined || env[name] === '' ? otherwise : Number(env[name])
  if (Number.isInteger(value) && value >= 0 && value < 65_536) return value
  throw invalid(name, 'a port number from 0 (any free one) to 65535 is expected.')
}

function listener(env: Env, prefix: string, host: string, otherwise: number): { host: string; port: number } | null {
  if (env[`${prefix}_PORT`] === 'off') return null
  return { host: env[`${prefix}_HOST`] || host, port: port(env, `${prefix}_PORT`, otherwise) }
}

function bytes(env: Env, name: string): number | undefined {
  if (env[name] === undefined || env[name] === '') return undefined
  const value = Number(env[name])
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw invalid(name, 'a whole number from 0 is expected.')
}

/** Never off: an open desk in a ward is open to everybody who passes. */
function idleLockMinutes(env: Env): number {
  const value = bytes(env, 'CARELOOP_IDLE_LOCK_MINUTES') ?? 15
  if (value >= 1 && value <= 720) return value
  throw invalid('CARELOOP_IDLE_LOCK_MINUTES', 'minutes from 1 to 720 are expected.')
}

const list = (words: string | undefined): string[] =>
  (words ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)

function oneOf<const T extends readonly string[]>(env: Env, name: string, known: T, otherwise: T[number]): T[number] {
  const value = env[name] || otherwise
  if (known.includes(value)) return value
  throw invalid(name, `one of ${known.join(', ')} is expected.`)
}

function databaseUrl(url: string): string {
  if (/^postgres(ql)?:\/\//.test(url)) return url
  throw invalid('DATABASE_URL', 'postgres://user:password@host:5432/database is expected.')
}
