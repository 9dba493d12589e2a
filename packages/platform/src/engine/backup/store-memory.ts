/**
 * Which store this data directory was backed up to. A disk that is not mounted leaves an empty folder behind, and a server that began
 * anew in it would fill the wrong disk while everybody believes in the backups of the right one.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { engineFailure } from '../errors.ts'
import type { MasterKeys } from '../keys/master-key.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { readStoreKey } from './store-key.ts'

const FILE = 'backup-store.json'

/** @throws Failure `backup-store-empty` */
export async function assertStoreRemembered(dataDir: string, store: ObjectStore, masters: MasterKeys): Promise<void> {
  if (remembered(dataDir) !== store.name || (await readStoreKey(store, masters)) !== null) return
  throw empty(store, dataDir)
}

/**
 * @returns a look, cheap enough for every round, that the store is still the one that was attached to: a folder whose disk goes away
 *   takes what is put into it all the same
 */
export async function makeStoreGuard(dataDir: string, store: ObjectStore): Promise<() => Promise<void>> {
  const keys: string[] = []
  for await (const { key } of store.list('key/')) keys.push(key)
  return async () => {
    for (const key of keys) if ((await store.get(key)) !== null) return
    throw empty(store, dataDir)
  }
}

const empty = (store: ObjectStore, dataDir: string) =>
  engineFailure(
    'backup-store-empty',
    `${store.name} is empty, though backups were made there. Is its disk mounted, is it the right bucket? If it was emptied on purpose, remove ${join(dataDir, FILE)}: backups then begin anew.`,
  )

export function rememberStore(dataDir: string, { name }: Pick<ObjectStore, 'name'>): void {
  if (remembered(dataDir) !== name) writeFileSync(join(dataDir, FILE), JSON.stringify({ name }), { mode: 0o600 })
}

function remembered(dataDir: string): string | null {
  try {
    return (JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')) as { name: string }).name
  } catch {
    return null
  }
}
