/** Exports that hold somebody who is erased end with them: their key goes in the same transaction, their files a moment later. */
import type { Engine } from '../../engine/index.ts'
import type { Forget } from '../../subjects/index.ts'
import { endJob } from './export-jobs.ts'
import type { JobRow } from './schema.ts'

export const forgetExports =
  (engine: Engine): Forget =>
  (tx, { tenant, subject }) =>
    tx.asTenant(tenant, async (inner) => {
      const { rows } = await inner.client.query<Pick<JobRow, 'id' | 'blob_key_id'>>(
        `select j.id, j.blob_key_id from tenant.export_job j
          where j.tenant_id = $1 and j.status in ('accepted', 'running', 'complete')
            and (j.status <> 'complete' or exists (
              select from tenant.export_subject s where s.tenant_id = $1 and s.job_id = j.id and s.subject_id = $2))
          for update`,
        [tenant, subject],
      )
      for (const job of rows) await endJob(engine, inner, job, { status: 'failed', error: 'erased' })
      await inner.client.query('delete from tenant.export_subject where tenant_id = $1 and subject_id = $2', [
        ...[tenant, subject],
      ])
    })
