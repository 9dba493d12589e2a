/**
 * The ledger of what was erased for ever: ids of destroyed keys. It goes into the store by itself, whenever it grew, so that it is
 * newer than every base copy; whoever goes back in time destroys those keys again before anybody can look.
 */
import type { EpochMs } from '@careloop/contract'
import type { Pool } from 'pg'
import { engineFailure } from '../errors.ts'
import { type Lock, noLock } from './lock.ts'
import type { SealedStore } from './sealed-store.ts'

export interface ErasureLedger {
  /** Grows by one with each that was put. */
  readonly number: number
  readonly at: EpochMs
  /** Destroyed data keys. */
  readonly keys: readonly { readonly id: string; readonly at: EpochMs }[]
  /** With object lock: the half of the span in which it was put. */
  readonly epoch?: string
  /** What a room keeps of erasures besides, as it wrote it; null = nothing yet. */
  readonly people: PeopleCopy | null
}

export interface PeopleCopy {
  readonly entries: number
  readonly value: unknown
}

/** The room that erases people: its own ledger goes along, and is applied by it. */
export interface PeopleLedger {
  copy(): Promise<PeopleCopy>
  /** Does again what the copy says and this database does not know. @returns how many people */
  reapply(value: unknown): Promise<number>
}

export const LEDGERS = 'ledger/'
const nameOf = (number: number) => `${LEDGERS}${String(number).padStart(10, '0')}`

const emptyLedger: ErasureLedger = { number: 0, at: 0, keys: [], people: null }

/** @throws Failure `backup-damaged` */
export async function newestLedger(store: SealedStore): Promise<ErasureLedger> {
  const newest = [...(await store.names(LEDGERS))].sort().at(-1)
  return newest === undefined ? emptyLedger : ((await store.getJson<ErasureLedger>(newest)) ?? emptyLedger)
}

/**
 * @param atLeast the newest ledger that a mark or a base copy knows of
 * @throws Failure `backup-ledger-missing`
 */
export async function ledgerOf(store: SealedStore, atLeast: number): Promise<ErasureLedger> {
  const ledger = await newestLedger(store)
  if (ledger.number >= atLeast) return ledger
  throw engineFailure(
    'backup-ledger-missing',
    `The store holds erasure ledger ${ledger.number}, and ${atLeast} was put: without it erased people would come back. Put ${nameOf(atLeast)} back from another copy of the store.`,
  )
}

/** What was destroyed in this database. */
export async function destroyedKeys(pool: Pool): Promise<ErasureLedger['keys']> {
  const { rows } = await pool.query<{ id: string; at: number }>(
    `select id, floor(extract(epoch from destroyed_at) * 1000)::float8 as at from engine.data_key
      where destroyed_at is not null order by destroyed_at, id`,
  )
  return rows
}

/**
 * By which one sees that more was destroyed. Both only grow, whichever transaction commits first: the number of a transaction is given
 * when it begins, so that the largest one would hide an older transaction that commits later.
 */
export async function destroyedMark(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ mark: string }>(
    `select (select count(*) from engine.data_key where destroyed_xid is not null)
            || ' ' || (select coalesce(max(seq), 0) from engine.erasure_ledger) as mark`,
  )
  return rows[0]!.mark
}

/**
 * Puts the ledger when this database knows of erasures that the store does not, or when the store must hold it for longer. Nothing in
 * it is ever taken out.
 */
export async function putLedger(
  store: SealedStore,
  from: { readonly pool: Pool; readonly people: PeopleLedger | null; readonly now: EpochMs; readonly lock?: Lock },
): Promise<ErasureLedger> {
  const held = await newestLedger(store)
  const known = new Set(held.keys.map(({ id }) => id))
  const more = (await destroyedKeys(from.pool)).filter(({ id }) => !known.has(id))
  const copy = (await from.people?.copy()) ?? null
  const isLonger = copy !== null && copy.entries > (held.people?.entries ?? 0)
  const lock = from.lock ?? noLock
  const isHeld = lock.suffix === (held.epoch ?? '') || held.number === 0
  if (more.length === 0 && !isLonger && isHeld) return held
  const next: ErasureLedger = {
    ...{ number: held.number + 1, at: from.now, keys: [...held.keys, ...more] },
    people: isLonger ? copy : held.people,
    ...(lock.suffix === '' ? {} : { epoch: lock.suffix }),
  }
  await store.putJson(nameOf(next.number), next, lock.until)
  if (held.number > 0) await store.objects.delete(nameOf(held.number)).catch(() => {}) // held by the store: it stays beside
  return next
}

/**
 * Destroys again what the ledger says and this database, older than it, still has.
 * @returns how many keys
 */
export async function applyLedger(pool: Pool, ledger: ErasureLedger): Promise<number> {
  const { rowCount } = await pool.query(
    `update engine.data_key k set wrapped = null, destroyed_xid = pg_current_xact_id(),
            destroyed_at = to_timestamp(l.at / 1000.0)
       from unnest($1::uuid[], $2::float8[]) as l (id, at)
      where k.id = l.id and k.destroyed_at is null`,
    [ledger.keys.map(({ id }) => id), ledger.keys.map(({ at }) => at)],
  )
  return rowCount ?? 0
}
