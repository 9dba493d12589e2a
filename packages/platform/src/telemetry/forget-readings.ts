/** What telemetry does when a person is erased: nothing of their readings stays, nor where they were when. */
import type { Engine } from '../engine/index.ts'
import type { Forget } from '../subjects/index.ts'
import { eraseReadings } from './erase-readings.ts'

export const forgetReadings =
  (engine: Pick<Engine, 'blobs' | 'watch'>): Forget =>
  async (tx, { tenant, subject }) => {
    const { blobs } = await eraseReadings(tx, tenant, subject)
    await tx.asTenant(tenant, (inner) =>
      inner.client.query('delete from tenant.subject_zone where tenant_id = $1 and subject_id = $2', [tenant, subject]),
    )
    // Files that nothing points to any more, sealed under a key that is gone: one that stays by accident tells nothing.
    tx.afterCommit(() => {
      for (const ref of blobs)
        engine.blobs
          .delete(ref)
          .catch((err: unknown) => engine.watch.log.warn({ err, ref }, 'a blob could not be deleted'))
    })
  }
