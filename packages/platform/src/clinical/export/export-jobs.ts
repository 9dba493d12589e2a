/** Jobs of export as whoever asked sees them: begun, looked at, cancelled. Another's job is not there. */
import { record } from '../../audit/index.ts'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { type By, trailOf } from '../../subjects/index.ts'
import { clinicalFailure } from '../errors.ts'
import { grantFor, mayDo } from '../rights.ts'
import { nameOf, subjectsBehind } from '../store/references.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { servedTypes } from '../types.ts'
import { type ExportAsked, type ExportParameters, isExported, openAsked, sealAsked } from './asked.ts'
import type { ExportError, ExportScope, ExportTables, FileRow, JobRow } from './schema.ts'

/** Timers of jobs: key = the job, `{ tenant, job }`. */
export const exportTimer = 'export'
/** How long finished files can be fetched, ms. */
export const keptMs = 24 * 3_600_000
/** Under way at a time. */
const mostOfOne = 2
const mostOfAll = 6

export const jobsOf = (tx: TenantTx) => tx.tables<ExportTables>()

export const setTimer = (engine: Engine, tx: TenantTx, job: string, at: number): Promise<void> =>
  engine.timers.set(tx, exportTimer, { key: job, at, ids: { tenant: tx.tenant, job } })

/** In whose name: the app's id, else null. */
const appOf = ({ who }: By): string | null =>
  who !== undefined && 'app' in who && who.app !== undefined ? who.app.client : null

export interface KickOff {
  readonly scope: ExportScope
  readonly parameters: ExportParameters
  /** FHIR ids of the members of a Group. */
  readonly members: readonly string[] | null
  readonly request: string
  readonly base: string
}

/** @returns the job's id. @throws Failure `type-not-yours`, `export-too-many`, `export-parameter` */
export async function kickOff(room: ClinicalRoom, by: By, asked: KickOff): Promise<string> {
  const { engine } = room.ground
  const { types, elements, since } = asked.parameters
  for (const type of types ?? []) grantFor(by, type, 'r')
  if (!Object.keys(servedTypes).some((type) => isExported(type) && mayDo(by, type, 'r')))
    throw clinicalFailure('type-not-yours', 'Your roles or scopes open nothing that could be exported.')
  const id = engine.ids.uuid()
  const key = await engine.keys.keyFor('tenant', by.tenant)
  const now = engine.clock.now()
  await engine.db.asTenant(by.tenant, async (tx) => {
    await assertFew(tx, by)
    const patients = await subjectsOf(room, tx, asked)
    const app = by.who !== undefined && 'app' in by.who ? by.who.app : undefined
    const body: ExportAsked = {
      ...{ request: asked.request, base: asked.base, types, elements, patients },
      ...(app === undefined ? {} : { app }),
    }
    await jobsOf(tx)
      .insertInto('export_job')
      .values({
        ...{ id, actor: by.actor, app_id: appOf(by), scope: asked.scope, status: 'accepted', at: now, since },
        ...{ xid: await xidOf(tx), blob_key_id: await engine.keys.create(tx, 'blob', id) },
        ...{ key_id: key.id, body: sealAsked(key, by.tenant, id, body) },
      })
      .execute()
    await setTimer(engine, tx, id, now)
    await record(tx, { ...entryOf(by), action: 'export', resource: 'export-job', id })
  })
  return id
}

/** Also through which app. */
const entryOf = trailOf

async function xidOf(tx: TenantTx): Promise<string> {
  const { rows } = await tx.client.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
  return rows[0]!.xid
}

/** @throws Failure `export-too-many` */
async function assertFew(tx: TenantTx, { actor }: By): Promise<void> {
  // One after the other: two that come at the same time count each other.
  await tx.client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`export ${tx.tenant}`])
  const running = await jobsOf(tx)
    .selectFrom('export_job')
    .select('actor')
    .where('status', 'in', ['accepted', 'running'])
    .execute()
  if (running.length < mostOfAll && running.filter((each) => each.actor === actor).length < mostOfOne) return
  throw clinicalFailure('export-too-many', 'Exports are under way already. Wait for one to end, or cancel it.', {
    retryAfterSeconds: 60,
  })
}

/** Of the members, those of the POST; who is not here is not exported. Null = no list was given. */
async function subjectsOf(
  { ground }: ClinicalRoom,
  tx: TenantTx,
  { members, parameters }: KickOff,
): Promise<readonly string[] | null> {
  const { patients } = parameters
  const wanted = members === null ? patients : members.filter((id) => patients === null || patients.includes(id))
  if (wanted === null) return null
  const targets = wanted.map((id) => ({ type: 'Patient', id }))
  const found = await subjectsBehind(ground, tx, targets)
  return targets.flatMap((target) => found.get(nameOf(target)) ?? [])
}

export interface Manifest {
  readonly transactionTime: string
  readonly request: string
  readonly requiresAccessToken: true
  readonly output: readonly { readonly type: string; readonly url: string; readonly count: number }[]
  readonly deleted: readonly { readonly type: string; readonly url: string; readonly count: number }[]
  readonly error: readonly never[]
}

export type ExportState =
  | { readonly status: 'running'; readonly progress: string }
  | { readonly status: 'complete'; readonly manifest: Manifest; readonly expiresAt: number }
  | { readonly status: 'failed'; readonly error: ExportError }

/** @throws Failure `export-not-found` */
export async function exportState(room: ClinicalRoom, by: By, id: string): Promise<ExportState> {
  const { engine } = room.ground
  const { job, files } = await engine.db.asTenant(by.tenant, async (tx) => {
    const found = await ownJob(engine, tx, by, id)
    const rows = found.status === 'complete' ? await filesOf(tx, id) : []
    if (found.status === 'complete') await record(tx, { ...entryOf(by), action: 'read', resource: 'export-job', id })
    return { job: found, files: rows }
  })
  if (job.status === 'failed') return { status: 'failed', error: job.error ?? 'broken' }
  if (job.status !== 'complete') return { status: 'running', progress: progressOf(job) }
  const asked = openAsked(await engine.keys.key(job.key_id), by.tenant, id, job.body)
  return { status: 'complete', manifest: manifestOf(job, asked, files), expiresAt: Number(job.expires_at) }
}

function progressOf({ status, resources, seq, max_seq }: JobRow): string {
  if (status === 'accepted' || max_seq === null) return 'waiting to begin'
  const part = Number(max_seq) === 0 ? 100 : Math.floor((100 * Number(seq)) / Number(max_seq))
  return `${part} % of the record read, ${resources} resources written`
}

const filesOf = (tx: TenantTx, id: string): Promise<FileRow[]> =>
  jobsOf(tx).selectFrom('export_file').selectAll().where('job_id', '=', id).orderBy('number').execute()

function manifestOf(job: JobRow, { base, request }: ExportAsked, files: readonly FileRow[]): Manifest {
  const listed = (kind: FileRow['kind']) =>
    files
      .filter((file) => file.kind === kind)
      .map(({ type, number, count }) => ({ type, url: `${base}/$export-status/${job.id}/${number}`, count }))
  return {
    ...{ transactionTime: new Date(Number(job.at)).toISOString(), request, requiresAccessToken: true },
    ...{ output: listed('output'), deleted: listed('deleted'), error: [] },
  }
}

/** @throws Failure `export-not-found`: also for another's, one that was cancelled, and one whose time has passed */
export async function ownJob(engine: Engine, tx: TenantTx, by: By, id: string): Promise<JobRow> {
  const row = await jobsOf(tx).selectFrom('export_job').selectAll().where('id', '=', id).executeTakeFirst()
  const isTheirs = row !== undefined && row.actor === by.actor && row.app_id === appOf(by)
  const isOver =
    row?.status === 'cancelled' || (row?.expires_at != null && Number(row.expires_at) <= engine.clock.now())
  if (isTheirs && !isOver) return row
  throw clinicalFailure('export-not-found', 'There is no such export: it has ended, or was never yours. Begin another.')
}

/** From here on nothing of it can be read; its files are removed a moment later. @throws Failure `export-not-found` */
export async function cancelExport(room: ClinicalRoom, by: By, id: string): Promise<void> {
  const { engine } = room.ground
  await engine.db.asTenant(by.tenant, async (tx) => {
    const job = await ownJob(engine, tx, by, id)
    await endJob(engine, tx, job, { status: 'cancelled' })
    await record(tx, { ...entryOf(by), action: 'delete', resource: 'export-job', id })
  })
}

/** Its key goes at once, its files when the timer fires. */
export async function endJob(
  engine: Engine,
  tx: TenantTx,
  { id, blob_key_id: key }: Pick<JobRow, 'id' | 'blob_key_id'>,
  to: { readonly status: 'cancelled' } | { readonly status: 'failed'; readonly error: ExportError },
): Promise<void> {
  const now = engine.clock.now()
  const error = 'error' in to ? to.error : null
  await jobsOf(tx)
    .updateTable('export_job')
    .set({ status: to.status, error, finished_at: now, expires_at: now + (error === null ? 0 : keptMs) })
    .where('id', '=', id)
    .execute()
  await engine.keys.destroy(tx, key)
  await setTimer(engine, tx, id, now)
}
