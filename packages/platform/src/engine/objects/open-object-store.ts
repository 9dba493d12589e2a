import type { Clock, Ids } from '../ports.ts'
import { makeFolderStore } from './folder-store.ts'
import type { ObjectStore } from './object-store.ts'
import type { ObjectStoreSettings } from './object-store-settings.ts'
import { makeS3Store } from './s3-store.ts'

/** The store that the settings name. Nothing is asked of it yet. */
export function openObjectStore(
  settings: ObjectStoreSettings,
  parts: { readonly clock: Pick<Clock, 'now' | 'sleep'>; readonly ids: Pick<Ids, 'uuid'> },
): ObjectStore {
  if (settings.kind === 's3') return makeS3Store({ settings, clock: parts.clock })
  return makeFolderStore({ folder: settings.folder, ...parts })
}
