/** A whole Careloop in one process: database, engine, rooms, stages, doors, pages; and its orderly end. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ApiServer, makeApiServer } from '../api/index.ts'
import { type EngineOptions, type OpenEngine, openEngine, parameterLogging, type Watch } from '../engine/index.ts'
import { backupPartsOf, eraseAgain } from './backups.ts'
import type { Config } from './config.ts'
import { isDemoData } from './demo-data.ts'
import { type Doors, openDoors } from './doors.ts'
import { keepErased } from './erasures.ts'
import { appFailure } from './errors.ts'
import { heldBackFacts } from './held-back-facts.ts'
import { isLoopback } from './loopback.ts'
import { assertMasterFits } from './master-fits.ts'
import { openDatabase } from './open-database.ts'
import { openMasters } from './open-masters.ts'
import { assertProduction, waiverNotices } from './production.ts'
import { readinessOf } from './readiness.ts'
import { openRooms, type Rooms } from './rooms.ts'
import { routesOf } from './routes.ts'
import { writeRunning } from './running.ts'
import { allStages, opensDoors, opensPages, startStages } from './stages.ts'
import { systemHealth } from './system-health.ts'

export interface Platform {
  readonly rooms: Rooms
  /** Base URL of the pages; null when this role serves none. */
  readonly http: string | null
  readonly doors: Doors | null
  /** What the operator must be told at the first start. */
  readonly notices: readonly string[]
  /** Of the database, for helpers of the same machine. Holds a password: never log it. */
  readonly databaseUrl: string
  close(): Promise<void>
}

export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/** Folder of the built pages. */
export const webRoot = fileURLToPath(new URL('../../../web/dist', import.meta.url))

/** `npm start` builds them; a clean clone has none. */
export const arePagesBuilt = (): boolean => existsSync(join(webRoot, 'index.html'))

export async function startPlatform(config: Config, watch: Watch): Promise<Platform> {
  assertProduction(config)
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const ends: (() => Promise<unknown>)[] = []
  const close = async () => {
    while (ends.length > 0) await ends.pop()!()
  }
  try {
    const master = await openMasters(config)
    const database = await openDatabase(config, watch)
    ends.push(database.close)
    const opened = openEngine({
      ...{ url: database.url, masters: master.keys, dataDir: config.dataDir, watch },
      ...guardOf(config, database.embedded !== null),
    })
    ends.push(opened.close)
    await assertMasterFits(opened.engine.db.pool, master.keys)
    const logged = await parameterLogNotices(opened.engine.db.pool, config)
    const rooms = await openRooms(opened.engine, {
      secureCookies: config.tls !== undefined || (config.publicOrigin?.startsWith('https:') ?? false),
      signInsPerMinute: config.signInsPerMinute,
      email: config.mail !== undefined,
      idleLockMs: config.idleLockMinutes * 60_000,
      publicOrigin: config.publicOrigin,
      allowPrivateUrls: config.allowPrivateUrls,
      erasureLedgerFile: config.erasureLedgerFile,
    })
    const backup = backupPartsOf(config, master.keys, database.embedded?.url ?? null, opened.engine)
    const stored = await eraseAgain(opened.engine, backup)
    const erasedAgain = [...stored.notices, ...(await keepErased(opened.engine, config, stored.vouched))]
    ends.push(await startStages(opened.engine, allStages(rooms, config, backup), config.role))
    const doors = opensDoors(config.role) ? await openDoors(rooms, config) : null
    if (doors) ends.push(doors.close)
    const http = await openPages(config, rooms, doors, opened, ends)
    if (database.embedded) {
      const running = writeRunning(config.dataDir, { id: randomUUID(), url: database.url })
      ends.push(async () => running.remove())
    }
    return {
      rooms,
      http,
      doors,
      notices: [
        ...waiverNotices(config),
        ...master.notices,
        ...logged,
        ...erasedAgain,
        ...plainHttpNotices(config),
        ...proxyNotices(config),
        ...mailNotices(config),
      ],
      databaseUrl: database.url,
      close,
    }
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
}

/** @throws Failure `database-logs-values` in production */
async function parameterLogNotices(pool: Parameters<typeof parameterLogging>[0], { mode }: Config): Promise<string[]> {
  const leaks = await parameterLogging(pool)
  if (leaks.length === 0) return []
  const says = `The database's own log keeps what statements carry: ${leaks.join(', ')}.`
  if (mode === 'production') throw appFailure('database-logs-values', says)
  return [says]
}

/** The database grows on the disk of the embedded one; that of another machine is not ours to watch, unless a floor is named. */
function guardOf({ diskFloorBytes, ballastBytes }: Config, isEmbedded: boolean): Pick<EngineOptions, 'guard'> {
  if (!isEmbedded && diskFloorBytes === undefined) return {}
  return {
    guard: {
      ...(diskFloorBytes === undefined ? {} : { floorBytes: diskFloorBytes }),
      ...(ballastBytes === undefined ? {} : { ballastBytes }),
    },
  }
}

/** What is to be said of pages that passwords and readings reach without TLS; empty when all is well. */
export function plainHttpNotices({
  http,
  publicOrigin,
  role,
  tls,
}: Pick<Config, 'http' | 'publicOrigin' | 'role' | 'tls'>): string[] {
  if (!opensPages(role) || tls !== undefined || isLoopback(http.host) || publicOrigin?.startsWith('https:')) return []
  return [
    `Pages and API listen on ${http.host}, beyond this machine, without TLS: passwords and readings can be read on the way. Name CARELOOP_TLS_CERT_FILE and CARELOOP_TLS_KEY_FILE, or put a TLS proxy before them and say its https:// address in CARELOOP_PUBLIC_ORIGIN.`,
  ]
}

/** An https:// address without TLS of our own means a proxy before it, behind which all look like one. */
export function proxyNotices({
  publicOrigin,
  trustedProxies,
  role,
  tls,
}: Pick<Config, 'publicOrigin' | 'trustedProxies' | 'role' | 'tls'>): string[] {
  if (!opensPages(role) || tls !== undefined || !publicOrigin?.startsWith('https:') || trustedProxies.length > 0)
    return []
  return [
    'Everybody seems to come from the address of the proxy: whoever guesses passwords, from wherever, makes all wait, and the trail cannot tell them apart. Name the proxy in CARELOOP_TRUSTED_PROXIES.',
  ]
}

/** What whoever runs this must know of notifications: by which ways they go. */
export function mailNotices({ mail }: Pick<Config, 'mail'>): string[] {
  if (mail === undefined)
    return [
      'Notifications stand in the pages only: no mail server is configured. Set CARELOOP_SMTP_URL and CARELOOP_MAIL_FROM to send them by e-mail as well.',
    ]
  const notices = mail.origin === null ? ['E-mails carry no link: set CARELOOP_PUBLIC_ORIGIN.'] : []
  if (mail.tls === 'none' && !isLoopback(mail.host))
    notices.push(`E-mails and the password of the mail server go to ${mail.host} without TLS.`)
  return notices
}

/** @throws Failure `http-port-unavailable` */
export async function listenHttp(server: Pick<ApiServer, 'listen'>, { host, port }: Config['http']): Promise<string> {
  try {
    return await server.listen(port, host)
  } catch (cause) {
    const why: Record<string, string> = {
      EADDRINUSE: 'another program has it',
      EACCES: 'the system does not let this user have it',
      EADDRNOTAVAIL: 'this machine has no such address',
      ENOTFOUND: 'no such host is known',
    }
    const code = (cause as NodeJS.ErrnoException).code ?? ''
    if (why[code] === undefined) throw cause
    throw appFailure(
      'http-port-unavailable',
      `Port ${port} on ${host} cannot be had: ${why[code]}. Stop that program, or name another port in CARELOOP_HTTP_PORT (the address in CARELOOP_HTTP_HOST).`,
      { cause },
    )
  }
}

async function openPages(
  config: Config,
  rooms: Rooms,
  doors: Doors | null,
  opened: OpenEngine,
  ends: (() => Promise<unknown>)[],
): Promise<string | null> {
  if (!opensPages(config.role)) return null
  const server: ApiServer = await makeApiServer({
    engine: rooms.engine,
    identity: rooms.identity,
    routes: routesOf(rooms, doors, () => systemHealth(rooms.engine, config)),
    deviceByToken: (sha256) => rooms.fleet.attribution.identityByTokenHash(sha256),
    subjectsOf: (tenant, ids) => rooms.subjects.placesOf(tenant, ids),
    heldBack: heldBackFacts(rooms.engine, rooms.subjects),
    readiness: readinessOf(opened, config.auditSinks),
    version,
    isDemo: isDemoData(config),
    ...(arePagesBuilt() ? { webRoot } : {}),
    ...(config.operatorToken ? { operatorToken: config.operatorToken } : {}),
    trustedProxies: config.trustedProxies,
    servicePerSecond: config.serviceRequestsPerSecond,
    ...(config.tls ? { tls: config.tls } : {}),
    ...(config.publicOrigin ? { publicOrigin: config.publicOrigin } : {}),
  })
  ends.push(server.close)
  return listenHttp(server, config.http)
}
