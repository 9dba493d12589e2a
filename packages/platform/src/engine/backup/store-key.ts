/**
 * A store has a key of its own, made at its first use and kept in the store, wrapped by the master key: whoever has the store and the
 * escrowed master key can restore, and nobody else. When the master key was rotated it is wrapped anew beside.
 */
import { createHash, hkdfSync, randomBytes } from 'node:crypto'
import { Failure } from '@careloop/contract'
import { engineFailure } from '../errors.ts'
import type { MasterKeys } from '../keys/master-key.ts'
import { KEY_BYTES } from '../keys/sealed.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { type Lock, noLock } from './lock.ts'
import type { PackKey } from './packed.ts'

export interface StoreKey extends PackKey {
  /** Names chunks by their content. */
  readonly nameKey: Uint8Array
  /** PostgreSQL's system identifier of the cluster that is backed up here. '' = a store that keeps only the erasure ledger. */
  readonly systemId: string
}

/** As it lies in the store: `key/<id of the store's key>/<digest of the master's id>`, with a lock and its half of the span behind. */
interface KeyRecord {
  readonly keyId: string
  readonly systemId: string
  readonly masterId: string
  /** base64 */
  readonly wrapped: string
}

interface Opened {
  readonly key: StoreKey
  readonly root: Buffer
  readonly held: readonly { readonly name: string; readonly masterId: string }[]
}

const PREFIX = 'key/'

/**
 * @returns null when the store is empty
 * @throws Failure `backup-key-foreign` when the master key at hand does not open it, `backup-damaged`
 */
export async function readStoreKey(store: ObjectStore, masters: MasterKeys): Promise<StoreKey | null> {
  return (await readRecords(store, masters))?.key ?? null
}

async function readRecords(store: ObjectStore, masters: MasterKeys): Promise<Opened | null> {
  const records: { name: string; record: KeyRecord }[] = []
  // Of several copies one that is whole is enough: who may write to the store can always put rubbish beside it.
  let broken: unknown = null
  for await (const { key: name } of store.list(PREFIX)) {
    const bytes = await store.get(name)
    try {
      if (bytes) records.push({ name, record: parse(name, bytes) })
    } catch (err) {
      broken ??= err
    }
  }
  const held = records.map(({ name, record }) => ({ name, masterId: record.masterId }))
  for (const { name, record } of records) {
    if (!(await masters.has(record.masterId))) continue
    const { keyId, systemId, masterId } = record
    const wrapped = { masterId, wrapped: Buffer.from(record.wrapped, 'base64') }
    try {
      const root = await masters.unwrap(wrapped, place(keyId, systemId))
      return { key: derive(keyId, systemId, root), root, held }
    } catch (cause) {
      if (isAway(cause)) throw cause
      broken ??= damagedKey(name, cause)
    }
  }
  if (broken !== null) throw broken
  if (records.length === 0) return null
  const masterIds = new Set(held.map(({ masterId }) => masterId))
  throw engineFailure(
    'backup-key-foreign',
    `This store was made with master key ${[...masterIds].join(', ')}, which is not at hand. Take the master key file from escrow and name it in CARELOOP_MASTER_KEY_FILE.`,
  )
}

/** A key service that does not answer says nothing of the record. */
const isAway = (cause: unknown): boolean => cause instanceof Failure && cause.code.startsWith('kms-')

function parse(name: string, bytes: Buffer): KeyRecord {
  try {
    return JSON.parse(bytes.toString('utf8')) as KeyRecord
  } catch (cause) {
    throw damagedKey(name, cause)
  }
}

const damagedKey = (name: string, cause: unknown) =>
  engineFailure(
    'backup-damaged',
    `Object ${name} of the backup, its key, is damaged. Take another copy of the store.`,
    {
      cause,
    },
  )

function derive(keyId: string, systemId: string, root: Uint8Array): StoreKey {
  const part = (use: string) => new Uint8Array(hkdfSync('sha256', root, '', `careloop backup ${use}`, KEY_BYTES))
  return { keyId, systemId, sealKey: part('seal'), nameKey: part('name') }
}

/**
 * The key of the store, made when there is none, and wrapped by the current master key.
 * @throws Failure `backup-foreign` (the store holds another database), `backup-key-foreign`, `backup-damaged`
 */
export async function ensureStoreKey(
  store: ObjectStore,
  masters: MasterKeys,
  systemId: string,
  lock: Lock = noLock,
): Promise<StoreKey> {
  const found = await readRecords(store, masters)
  if (found && found.key.systemId !== systemId)
    throw engineFailure(
      'backup-foreign',
      'The store of CARELOOP_BACKUP holds backups of another database. Give each database a store, or a prefix, of its own.',
    )
  const current = await masters.current()
  const isHeld = found?.held.some(({ name, masterId }) => masterId === current && name.endsWith(lock.suffix))
  if (found && isHeld) return found.key
  const root = found?.root ?? randomBytes(KEY_BYTES)
  const keyId = found?.key.keyId ?? randomBytes(8).toString('hex')
  const { masterId, wrapped } = await masters.wrap(root, place(keyId, systemId))
  const record: KeyRecord = { keyId, systemId, masterId, wrapped: wrapped.toString('base64') }
  const name = `${PREFIX}${keyId}/${createHash('sha256').update(masterId).digest('hex').slice(0, 16)}${lock.suffix}`
  await store.put(name, Buffer.from(JSON.stringify(record)), lock.until ? { retainUntil: lock.until } : {})
  return found?.key ?? derive(keyId, systemId, root)
}

const place = (keyId: string, systemId: string): string => `careloop backup key\n${keyId}\n${systemId}`
