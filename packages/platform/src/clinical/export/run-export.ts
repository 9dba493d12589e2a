/**
 * Exports at work: page by page, each written with the place up to which it read, so that whichever process goes on goes on there.
 * A timer is the net: it is moved on with each page, and fires when whoever worked is gone.
 */
import { record } from '../../audit/index.ts'
import type { Engine, EngineTx, FiredTimer, Stage, TenantTx } from '../../engine/index.ts'
import { standingPrincipal } from '../../identity/index.ts'
import { type By, withReach } from '../../subjects/index.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { openAsked } from './asked.ts'
import { type Line, packFile } from './export-file.ts'
import { endJob, exportTimer, jobsOf, keptMs, setTimer } from './export-jobs.ts'
import { type Bounds, defaultBounds, type ExportPage, readPage } from './export-page.ts'
import type { JobRow } from './schema.ts'

/** Longer than a page lasts, ms. */
export const netMs = 120_000
/** Jobs at a time in one process. */
const atATime = 2
const busyMs = 500
/** Workers that get no page done: then it is given up. */
const mostTries = 6

export interface ExportWork {
  readonly room: ClinicalRoom
  readonly bounds?: Bounds
  /** For tests: dies there. */
  readonly fault?: (moment: 'read' | 'put' | 'written') => void | Promise<void>
}

export const exportStage = (room: ClinicalRoom): Stage => ({
  name: 'export',
  start: async () => workOnExports({ room }),
})

/** The stop; a test waits by `idle` for what is under way. */
export type Working = (() => Promise<void>) & { readonly idle: () => Promise<boolean> }

export function workOnExports(work: ExportWork): Working {
  const { engine } = work.room.ground
  const underWay = new Set<Promise<void>>()
  const stopping = new AbortController()
  const go = (job: JobRow, tenant: string) => {
    const working = (isEnded(job) ? remove(engine, tenant, job) : goOn(work, tenant, job, stopping.signal))
      .catch((err) =>
        engine.watch.log.warn({ err, tenant, job: job.id }, 'an export was cut off; it goes on in minutes'),
      )
      .finally(() => underWay.delete(working))
    underWay.add(working)
  }
  const stopTimers = engine.timers.work(exportTimer, async (fired, tx) => {
    const { tenant } = fired.ids as { tenant: string }
    if (underWay.size >= atATime)
      return tx.asTenant(tenant, (own) => setTimer(engine, own, fired.key, engine.clock.now() + busyMs))
    const job = await begin(engine, fired, tx)
    if (job !== null) tx.afterCommit(() => go(job, tenant))
  })
  const idle = async () => {
    const wasBusy = underWay.size > 0
    while (underWay.size > 0) await Promise.all(underWay)
    return wasBusy
  }
  const stop = async () => {
    stopping.abort()
    await stopTimers()
    await idle()
  }
  return Object.assign(stop, { idle })
}

/** Nothing of it is to be read any more. */
const isEnded = ({ status }: Pick<JobRow, 'status'>): boolean => status !== 'accepted' && status !== 'running'

/** The timer fired, in its transaction. @returns what is to be done once that is committed; null = nothing now */
async function begin(engine: Engine, fired: FiredTimer, tx: EngineTx): Promise<JobRow | null> {
  const { tenant, job: id } = fired.ids as { tenant: string; job: string }
  return tx.asTenant(tenant, async (own) => {
    const job = await lock(own, id)
    if (job === undefined) return null
    const now = engine.clock.now()
    // What failed says so until its time has passed, though its files are gone.
    if (job.status === 'complete' && Number(job.expires_at) > now) {
      await setTimer(engine, own, id, Number(job.expires_at))
      return null
    }
    if (isEnded(job)) {
      await setTimer(engine, own, id, now + netMs)
      return job
    }
    if (job.max_seq === null && !(await isSettled(own, job))) {
      await setTimer(engine, own, id, now + 200)
      return null
    }
    if (job.tries >= mostTries) {
      await endJob(engine, own, job, { status: 'failed', error: 'broken' })
      engine.watch.log.error({ tenant, job: id }, 'an export failed again and again and was given up')
      return null
    }
    await setTimer(engine, own, id, now + netMs)
    return claim(own, job)
  })
}

const lock = (tx: TenantTx, id: string): Promise<JobRow | undefined> =>
  jobsOf(tx).selectFrom('export_job').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()

/** Whoever wrote before the time of the export has ended: nothing of that time is still to come. */
async function isSettled(tx: TenantTx, { xid }: JobRow): Promise<boolean> {
  const { rows } = await tx.client.query<{ settled: boolean }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text::bigint > $1::bigint as settled',
    [xid],
  )
  return rows[0]!.settled
}

async function claim(tx: TenantTx, job: JobRow): Promise<JobRow> {
  const { rows } = await tx.client.query<{ seq: string | null }>(
    'select max(seq) as seq from tenant.clinical_resource where tenant_id = $1',
    [tx.tenant],
  )
  return jobsOf(tx)
    .updateTable('export_job')
    .set({
      ...{ status: 'running', attempt: Number(job.attempt) + 1, tries: job.tries + 1 },
      max_seq: job.max_seq ?? rows[0]!.seq ?? '0',
    })
    .where('id', '=', job.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

async function goOn(work: ExportWork, tenant: string, job: JobRow, stop: AbortSignal): Promise<void> {
  const { engine } = work.room.ground
  const asked = openAsked(await engine.keys.key(job.key_id), tenant, job.id, job.body)
  for (let seq = job.seq; ; ) {
    const by = await askerOf(engine, tenant, job, asked)
    if (by === null) {
      await engine.db.asTenant(tenant, (tx) => endJob(engine, tx, job, { status: 'failed', error: 'no-access' }))
      return
    }
    const page = await readPage({ room: work.room, by, asked, job, bounds: work.bounds ?? defaultBounds }, seq)
    await work.fault?.('read')
    if (!(await writePage(work, { tenant, job, by, page, from: seq }))) return
    await work.fault?.('written')
    if (page.isLast) return
    seq = page.seq
    if (stop.aborted) return engine.db.asTenant(tenant, (tx) => setTimer(engine, tx, job.id, engine.clock.now()))
  }
}

/** As they are now; null = they, or their app, have no access any more. */
async function askerOf(
  engine: Engine,
  tenant: string,
  { actor }: JobRow,
  { app }: { readonly app?: Parameters<typeof standingPrincipal>[1]['app'] },
): Promise<By | null> {
  const standing = await standingPrincipal(engine, { tenant, actor, app })
  return standing === null ? null : { tenant, actor, who: await withReach(engine, standing) }
}

interface Writing {
  readonly tenant: string
  readonly job: JobRow
  readonly by: By
  readonly page: ExportPage
  readonly from: string
}

/** @returns false when the job is another's by now, or ended */
async function writePage(work: ExportWork, { tenant, job, by, page, from }: Writing): Promise<boolean> {
  const { engine } = work.room.ground
  const files: { kind: 'output' | 'deleted'; type: string; count: number; ref: string }[] = []
  const put = async (kind: 'output' | 'deleted', type: string, lines: readonly Line[]) => {
    const ref = await engine.blobs.put(await packFile(lines), job.blob_key_id)
    files.push({ kind, type, count: lines.length, ref })
  }
  for (const [type, lines] of page.output) await put('output', type, lines)
  if (page.deleted.length > 0) await put('deleted', 'Bundle', page.deleted)
  await work.fault?.('put')
  const isWritten = await engine.db.asTenant(tenant, async (tx) => {
    const row = await lock(tx, job.id)
    if (row === undefined || row.status !== 'running' || row.attempt !== job.attempt || row.seq !== from) return false
    const { count } = await jobsOf(tx)
      .selectFrom('export_file')
      .where('job_id', '=', job.id)
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow()
    if (files.length > 0)
      await jobsOf(tx)
        .insertInto('export_file')
        .values(files.map((file, at) => ({ ...file, job_id: job.id, number: Number(count) + at + 1 })))
        .execute()
    await rememberSubjects(tx, by, job.id, page)
    await moveOn(engine, tx, row, page)
    return true
  })
  if (!isWritten) for (const { ref } of files) await engine.blobs.delete(ref)
  return isWritten
}

/** Each person stands in the trail once for each export. */
async function rememberSubjects(tx: TenantTx, by: By, job: string, { output, deleted }: ExportPage): Promise<void> {
  const lines = [...output.values(), deleted].flat()
  const subjects = [...new Set(lines.flatMap(({ subject }) => subject ?? []))]
  if (subjects.length === 0) return
  const { rows } = await tx.client.query<{ subject_id: string }>(
    `insert into tenant.export_subject (job_id, subject_id) select $1, id from unnest($2::uuid[]) as id
      on conflict do nothing returning subject_id`,
    [job, subjects],
  )
  const fresh = rows.map((row) => row.subject_id)
  if (fresh.length > 0)
    await record(tx, { actor: by.actor, action: 'export', resource: 'export-job', id: job, subjects: fresh })
}

async function moveOn(engine: Engine, tx: TenantTx, job: JobRow, page: ExportPage): Promise<void> {
  const now = engine.clock.now()
  const read = { seq: page.seq, resources: Number(job.resources) + page.resources, tries: 0 }
  const ended = { status: 'complete' as const, finished_at: now, expires_at: now + keptMs }
  await jobsOf(tx)
    .updateTable('export_job')
    .set({ ...read, ...(page.isLast ? ended : {}) })
    .where('id', '=', job.id)
    .execute()
  await setTimer(engine, tx, job.id, now + (page.isLast ? keptMs : netMs))
}

/** Files first, then the row: what is cut off in between is done again. */
async function remove(engine: Engine, tenant: string, job: JobRow): Promise<void> {
  await engine.blobs.deleteUnder(job.blob_key_id)
  await engine.db.asTenant(tenant, async (tx) => {
    await jobsOf(tx).deleteFrom('export_file').where('job_id', '=', job.id).execute()
    // Why it failed is told for a day.
    if (job.status === 'failed' && Number(job.expires_at) > engine.clock.now())
      return setTimer(engine, tx, job.id, Number(job.expires_at))
    if (job.status === 'complete') await engine.keys.destroy(tx, job.blob_key_id)
    await jobsOf(tx).deleteFrom('export_job').where('id', '=', job.id).execute()
    await engine.timers.cancel(tx, exportTimer, job.id)
  })
}
