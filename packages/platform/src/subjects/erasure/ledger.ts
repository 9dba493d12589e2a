/**
 * The ledger of who was erased: opaque ids in a chain, each row's mac over the row and the mac before it. It is copied out of the
 * database (a file beside the master key, the store of backups) and done again after every restore, before anybody is let in.
 */
import { timingSafeEqual } from 'node:crypto'
import type { DataKey, Engine, EngineTx, WrappedKey } from '../../engine/index.ts'
import { subjectFailure } from '../errors.ts'

export interface ErasedEntry {
  /** From 1, without holes. */
  readonly seq: number
  readonly tenant: string
  readonly subject: string
  /** The data key that was destroyed. */
  readonly key: string
  readonly at: number
  /** Hex. */
  readonly mac: string
}

/** A copy outside the database. It carries the key of its macs, wrapped by the master key: an older database may not have it. */
export interface LedgerCopy {
  readonly format: 1
  readonly key: WrappedKey
  readonly entries: readonly ErasedEntry[]
}

/** By which a shorter copy is known for one: how many entries, and the mac of the last. */
export interface LedgerHead {
  readonly seq: number
  readonly mac: string
}

const OWNER = 'erasures'
const START = '0'.repeat(64)

export const ledgerKey = (engine: Pick<Engine, 'keys'>): Promise<DataKey> => engine.keys.keyFor('ledger', OWNER)

export const headOf = (entries: readonly ErasedEntry[]): LedgerHead => {
  const last = entries.at(-1)
  return last === undefined ? { seq: 0, mac: START } : { seq: last.seq, mac: last.mac }
}

type Unsigned = Omit<ErasedEntry, 'mac'>

const macOf = (key: DataKey, before: string, { seq, tenant, subject, key: keyId, at }: Unsigned): string =>
  key.hmac('erasure ledger', [before, seq, tenant, subject, keyId, at].join('\n')).toString('hex')

/** Writes one entry behind the last, in the transaction that erases. @param key got before it: see `ledgerKey` */
export async function appendErased(tx: EngineTx, key: DataKey, erased: Omit<Unsigned, 'seq'>): Promise<void> {
  // One writer at a time: two that read the same last entry would fork the chain.
  await tx.client.query('lock table engine.erasure_ledger in share row exclusive mode')
  const { seq, mac } = headOf(await lastEntry(tx))
  const entry = { ...erased, seq: seq + 1 }
  await tx.client.query(
    `insert into engine.erasure_ledger (seq, tenant_id, subject_id, key_id, erased_at, mac)
     values ($1, $2, $3, $4, $5, decode($6, 'hex')) on conflict (tenant_id, subject_id) do nothing`,
    [entry.seq, entry.tenant, entry.subject, entry.key, entry.at, macOf(key, mac, entry)],
  )
}

const COLUMNS = `seq::float8 as seq, tenant_id as tenant, subject_id as subject, key_id as key, erased_at::float8 as at,
  encode(mac, 'hex') as mac`

async function lastEntry(tx: EngineTx): Promise<ErasedEntry[]> {
  const sql = `select ${COLUMNS} from engine.erasure_ledger order by engine.erasure_ledger.seq desc limit 1`
  return (await tx.client.query<ErasedEntry>(sql)).rows
}

/**
 * The whole ledger, checked, with the key of its macs. Copy it to where backups are kept after each erasure and with each backup.
 * @throws Failure `ledger-broken`
 */
export async function exportLedger(engine: Pick<Engine, 'db' | 'keys'>): Promise<LedgerCopy> {
  const key = await ledgerKey(engine)
  const sql = `select ${COLUMNS} from engine.erasure_ledger order by engine.erasure_ledger.seq`
  const { rows } = await engine.db.pool.query<ErasedEntry>(sql)
  assertChain(key, rows)
  return { format: 1, key: await engine.keys.exportWrapped(key.id), entries: rows }
}

/**
 * @param atLeast head that is known from elsewhere (a manifest, another copy): a ledger that does not reach it was cut
 * @throws Failure `ledger-broken`, `master-key-missing`
 */
export async function verifyLedger(
  engine: Pick<Engine, 'keys'>,
  copy: LedgerCopy,
  atLeast?: LedgerHead,
): Promise<void> {
  const key = await engine.keys.openWrapped(copy.key).catch((error: { code?: string }) => {
    throw error.code === 'seal-broken' ? broken('its key does not open') : error
  })
  assertChain(key, copy.entries)
  if (atLeast === undefined || atLeast.seq === 0) return
  const there = copy.entries[atLeast.seq - 1]
  if (there === undefined) throw broken(`it ends at ${copy.entries.length}, and ${atLeast.seq} is known of`)
  if (there.mac !== atLeast.mac) throw broken(`entry ${atLeast.seq} is another than is known of`)
}

function assertChain(key: DataKey, entries: readonly ErasedEntry[]): void {
  let before = START
  for (const [index, entry] of entries.entries()) {
    if (entry.seq !== index + 1) throw broken(`entry ${index + 1} is missing`)
    const mac = Buffer.from(macOf(key, before, entry), 'hex')
    const said = Buffer.from(entry.mac, 'hex')
    if (said.length !== mac.length || !timingSafeEqual(said, mac)) throw broken(`entry ${entry.seq} was changed`)
    before = entry.mac
  }
}

function broken(why: string) {
  return subjectFailure(
    'ledger-broken',
    `The erasure ledger is not whole: ${why}. Erased people might come back. Take another copy: it lies beside the master key, and with the backups.`,
  )
}
