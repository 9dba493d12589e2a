/**
 * Only the owning room writes a table. Owners follow from the migrations; writes are found in SQL texts (`insert into`, `update`,
 * `delete from` ...) and in Kysely's calls.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isTestCode, ROOMS_DIR, roomOf } from '../source/rooms.ts'
import type { SourceFile } from '../source/source-file.ts'

export const MIGRATIONS = 'packages/platform/migrations'

/** Migrations that are not named after the room whose tables they make. */
const MIGRATION_ROOMS: Readonly<Record<string, string>> = {
  notifications: 'workflow',
  timers: 'engine',
  'fact-names-its-transaction': 'engine',
  backup: 'engine',
  'mqtt-session': 'ingest',
  ca: 'fleet',
  'second-factor': 'identity',
  passkeys: 'identity',
  'sso-and-invitations': 'identity',
  'person-accounts': 'identity',
  consent: 'subjects',
  'rules-and-overrides': 'alerting',
  'task-acts': 'workflow',
  'measurement-days': 'telemetry',
  erasure: 'subjects',
  sight: 'subjects',
  'sight-of-enrolment': 'subjects',
  reviews: 'workflow',
  displays: 'identity',
  'audit-batches': 'audit',
  'claim-codes': 'fleet',
  'identity-second-step': 'identity',
  subscriptions: 'integrations',
  export: 'clinical',
  oauth: 'identity',
  'clinical-windows': 'clinical',
  'clinical-search': 'clinical',
}

/** Tables that another room than their migration's may write, each with its reason. */
const ALSO: Readonly<Record<string, { readonly room: string; readonly reason: string }>> = {
  tenant: { room: 'identity', reason: 'identity makes tenants; the row stands in engine, below all rooms' },
}

/** Table (without schema: names are unique) to the room that owns it. */
export type Owners = ReadonlyMap<string, string>

/** @throws Error when a migration belongs to no room, or two make a table of one name */
export function tableOwners(root: string): Owners {
  const owners = new Map<string, string>()
  for (const file of readdirSync(join(root, MIGRATIONS)).filter((name) => name.endsWith('.sql'))) {
    const name = file.replace(/^\d+-|\.sql$/g, '')
    const room = MIGRATION_ROOMS[name] ?? name
    const sql = readFileSync(join(root, MIGRATIONS, file), 'utf8')
    // The timers' library has tables of its own in pgboss, one of them called as one of ours: nobody but it writes them.
    for (const [, table] of sql.matchAll(/^\s*create table (?:if not exists )?(?!pgboss\.)(?:\w+\.)(\w+)/gim)) {
      if (owners.has(table!) && owners.get(table!) !== room)
        throw new Error(`${file}: ${table} is another room's table too`)
      owners.set(table!, room)
    }
  }
  return owners
}

/** @returns a line for each migration that cannot be given to a room of the tree */
export function migrationProblems(root: string): readonly string[] {
  const rooms = new Set(readdirSync(join(root, ROOMS_DIR)))
  return [...new Set(tableOwners(root).values())]
    .filter((room) => !rooms.has(room))
    .map(
      (room) =>
        `${MIGRATIONS}/*-${room}.sql: no room of this name. Name the migration after its room, or say whose it is in MIGRATION_ROOMS.`,
    )
}

const SQL_WRITE =
  /\b(?:insert\s+into|update(?:\s+only)?|delete\s+from(?:\s+only)?|merge\s+into|truncate(?:\s+table)?|copy)\s+"?(?:(?:tenant|engine|auth)"?\.)?"?([a-z_]+)\b/gi
const KYSELY_WRITE = /^(insertInto|updateTable|deleteFrom|mergeInto)$/

/** @returns a line for each write of a table by a room that does not own it */
export function ownerProblems(sources: readonly SourceFile[], owners: Owners): readonly string[] {
  return sources
    .filter(({ path }) => roomOf(path) !== null && !isTestCode(path))
    .flatMap((source) => {
      const room = roomOf(source.path)!
      return writes(source).flatMap(({ table, line }) => {
        const owner = owners.get(table)
        if (owner === undefined || owner === room || ALSO[table]?.room === room) return []
        return [`${source.path}:${line}: ${room} writes ${table}, which belongs to ${owner}. Call ${owner} instead.`]
      })
    })
}

function writes(source: SourceFile): readonly { readonly table: string; readonly line: number }[] {
  const bySql = source.texts.flatMap(({ what, line }) =>
    [...what.matchAll(SQL_WRITE)].map(([, table]) => ({ table: table!.toLowerCase(), line })),
  )
  const byKysely = source.calls
    .filter(({ name, argument }) => KYSELY_WRITE.test(name) && argument !== null)
    .map(({ argument, line }) => ({ table: argument!.split(/\s+/, 1)[0]!.replace(/^\w+\./, ''), line }))
  return [...bySql, ...byKysely]
}
