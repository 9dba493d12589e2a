/**
 * Who ships into a store: one running server. Two copies of one database (a machine that was cloned, a restored one beside the first)
 * have the same identity and would lay their logs over each other, which no restore could tell apart afterwards.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EpochMs } from '@careloop/contract'
import { engineFailure } from '../errors.ts'
import type { Clock, Ids } from '../ports.ts'
import type { SealedStore } from './sealed-store.ts'

/** Below the data directory: whose it is. Never part of a base copy: what is restored is another one. */
export const OWNER_FILE = 'backup-owner.json'
const OWNER = 'owner/now'
/** Said anew so often, ms; and believed for so long. */
const SAY_MS = 60_000
const BELIEVE_MS = 300_000

interface OwnerRecord {
  /** Of the data directory. */
  readonly instance: string
  /** Of the process; null = an operator said that the directory takes over. */
  readonly process: string | null
  readonly at: EpochMs
}

/** One of a process, through all its attachments. */
export interface Shipping {
  readonly process: string
  hasOwned: boolean
}

/**
 * @throws Failure `backup-store-busy` when another server said within 5 min that it ships; a process that was started anew on the same
 *   directory goes on at once
 */
export async function assertOwner(
  store: SealedStore,
  dataDir: string,
  shipping: Shipping,
  parts: { readonly clock: Pick<Clock, 'now'>; readonly ids: Pick<Ids, 'uuid'> },
): Promise<void> {
  const instance = instanceOf(dataDir, parts.ids)
  const held = await ownerOf(store)
  const now = parts.clock.now()
  const isOurs = held?.process === shipping.process
  const mayFollow = held?.instance === instance && (!shipping.hasOwned || held.process === null)
  if (held && !isOurs && !mayFollow && now - held.at < BELIEVE_MS)
    throw engineFailure(
      'backup-store-busy',
      `Another server with a copy of this database ships to ${store.objects.name} (last at ${new Date(held.at).toISOString()}). Stop it, or give one of them a store of its own. Is it gone for good: careloop backup take-over`,
    )
  if (!isOurs || now - held.at >= SAY_MS) await putOwner(store, { instance, process: shipping.process, at: now })
  shipping.hasOwned = true
}

/** At an orderly end: whoever comes next need not wait. */
export async function releaseOwner(store: SealedStore, shipping: Shipping): Promise<void> {
  if ((await ownerOf(store))?.process === shipping.process) await store.objects.delete(OWNER)
}

/** The server that shipped is known to be dead. */
export const forgetOwner = (store: SealedStore): Promise<void> => store.objects.delete(OWNER)

/** An operator says that from now on the server on this data directory ships. A clone has the same name until then: it gets another. */
export async function takeOver(
  store: SealedStore,
  dataDir: string,
  parts: { readonly clock: Pick<Clock, 'now'>; readonly ids: Pick<Ids, 'uuid'> },
): Promise<void> {
  const instance = nameAnew(dataDir, parts.ids)
  await putOwner(store, { instance, process: null, at: parts.clock.now() })
}

/** What cannot be read says nothing: it is written anew. */
const ownerOf = (store: SealedStore): Promise<OwnerRecord | null> =>
  store.getJson<OwnerRecord>(OWNER).catch((err: { code?: string }) => {
    if (err.code === 'backup-damaged') return null
    throw err
  })

const putOwner = (store: SealedStore, record: OwnerRecord): Promise<void> => store.putJson(OWNER, record)

function instanceOf(dataDir: string, ids: Pick<Ids, 'uuid'>): string {
  try {
    return (JSON.parse(readFileSync(join(dataDir, OWNER_FILE), 'utf8')) as { instance: string }).instance
  } catch {
    return nameAnew(dataDir, ids)
  }
}

function nameAnew(dataDir: string, ids: Pick<Ids, 'uuid'>): string {
  const instance = ids.uuid()
  writeFileSync(join(dataDir, OWNER_FILE), JSON.stringify({ instance }), { mode: 0o600 })
  return instance
}
