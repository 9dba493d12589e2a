/** A store into which nothing is put, and out of which nothing is taken, once the lease to do so is lost: somebody else does it then. */
import { engineFailure } from '../errors.ts'
import type { ObjectStore } from '../objects/object-store.ts'

export function whileHeld(objects: ObjectStore, lost: AbortSignal): ObjectStore {
  const assertHeld = () => {
    if (lost.aborted) throw engineFailure('lease-lost', 'Another process does the backups now.')
  }
  return {
    ...objects,
    async put(...wanted) {
      assertHeld()
      await objects.put(...wanted)
    },
    async delete(key) {
      assertHeld()
      await objects.delete(key)
    },
  }
}
