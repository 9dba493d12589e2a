/**
 * Keeps every tenant's names in memory: all of them at start, then what changed. A fact only says when to look; which rows are
 * new is decided by the database's snapshots, so that a lost or late fact costs a few seconds and never a name.
 */
import type { Selectable } from 'kysely'
import type { Engine, TenantTx } from '../engine/index.ts'
import { type NamedSubject, NameIndex } from './name-index.ts'
import type { SubjectsTables, SubjectTable } from './schema.ts'
import { isErased, openRow } from './subject-store.ts'

const pageRows = 1000
/** How soon a change is found even when nobody tells of it. */
const lookEveryMs = 5000

export interface NameKeeper {
  /** The tenant's index, current as of this call. */
  of(tenant: string): Promise<NameIndex>
  /** Takes in what this process itself has just committed, without a look at the database. */
  put(tenant: string, subject: NamedSubject): void
  /** Loads all tenants and follows changes; resolves when all are loaded. */
  start(): Promise<() => Promise<void>>
}

interface Shelf {
  readonly index: NameIndex
  /** Rows written by transactions from this number on may be new to us. */
  seenBelow: string
  loaded: boolean
  looking: Promise<void> | undefined
}

export function makeNameKeeper(engine: Engine): NameKeeper {
  const shelves = new Map<string, Shelf>()
  const shelfOf = (tenant: string): Shelf => {
    const known = shelves.get(tenant)
    if (known) return known
    const shelf: Shelf = { index: new NameIndex(), seenBelow: '0', loaded: false, looking: undefined }
    shelves.set(tenant, shelf)
    return shelf
  }
  const look = (tenant: string): Promise<void> => {
    const shelf = shelfOf(tenant)
    shelf.looking ??= takeNew(engine, tenant, shelf).finally(() => {
      shelf.looking = undefined
    })
    return shelf.looking
  }
  const quietly = (tenant: string) => {
    look(tenant).catch((err: unknown) =>
      engine.watch.log.warn({ err, tenant }, 'names could not be brought up to date'),
    )
  }
  return {
    async of(tenant) {
      const shelf = shelfOf(tenant)
      if (!shelf.loaded) await look(tenant)
      return shelf.index
    },
    put: (tenant, subject) => shelfOf(tenant).index.put(subject),
    async start() {
      const stopFacts = engine.db.onFacts(['SubjectChanged'], (fact) => quietly(fact.tenant))
      const stopTimer = engine.clock.every(lookEveryMs, () => {
        for (const tenant of shelves.keys()) quietly(tenant)
      })
      for (const tenant of await engine.db.tenants()) await look(tenant)
      return async () => {
        stopFacts()
        stopTimer()
        await Promise.allSettled([...shelves.values()].map((shelf) => shelf.looking))
      }
    },
  }
}

/** Takes in all rows that were not visible when we last looked. */
async function takeNew(engine: Engine, tenant: string, shelf: Shelf): Promise<void> {
  let after = '00000000-0000-0000-0000-000000000000'
  let horizon: string | undefined
  for (;;) {
    const rows = await engine.db.asTenant(tenant, async (tx) => {
      // Before the first page: what commits later has a number at or above it and is read the next time.
      horizon ??= await oldestRunning(tx)
      return newRows(tx, shelf.seenBelow, after)
    })
    await Promise.all(rows.map((row) => take(engine, tenant, shelf.index, row)))
    if (rows.length < pageRows) break
    after = rows.at(-1)!.id
  }
  shelf.seenBelow = horizon!
  shelf.loaded = true
}

async function oldestRunning(tx: TenantTx): Promise<string> {
  const { rows } = await tx.client.query<{ xmin: string }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as xmin',
  )
  return rows[0]!.xmin
}

const newRows = (tx: TenantTx, seenBelow: string, after: string): Promise<Selectable<SubjectTable>[]> =>
  tx
    .tables<SubjectsTables>()
    .selectFrom('subject')
    .selectAll()
    .where('touched', '>=', seenBelow)
    .where('id', '>', after)
    .orderBy('id')
    .limit(pageRows)
    .execute()

async function take(engine: Engine, tenant: string, index: NameIndex, row: Selectable<SubjectTable>): Promise<void> {
  if (row.erased_at !== null) {
    // At once: what comes late for them must find no key at hand here, and their name goes from memory after that.
    if (index.get(row.id) !== undefined) await engine.keys.refresh()
    return index.remove(row.id)
  }
  if ((index.get(row.id)?.version ?? 0) >= row.version) return
  try {
    const { words, id, kind, version, display, birthDate, timeZone, site, team } = openRow(
      await engine.keys.key(row.key_id),
      tenant,
      row,
    )
    index.put({ words, id, kind, version, display, birthDate, timeZone, site, team })
  } catch (error) {
    // An erased person has no name any more. Any other row that does not open must not hide the rest.
    if (isErased(error)) return index.remove(row.id)
    engine.watch.log.error({ err: error, subject: row.id }, 'a subject could not be opened; it is missing from search')
  }
}
