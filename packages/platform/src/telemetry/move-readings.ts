/**
 * An assignment was corrected: readings go to the series, and under the key, of whoever wore the device when they were
 * measured. Chunks that hold any such reading are taken apart into open segments, which the sealer then seals as usual.
 * What is done depends only on what is stored and on the history, so doing it twice changes nothing the second time.
 */
import { type AssignmentChanged, type AssignmentSpan, Failure } from '@careloop/contract'
import type { DataKey, EngineTx, TenantTx } from '../engine/index.ts'
import { type ChunkRow, chunksSince, deleteChunks } from './chunks.ts'
import { decodeReadings } from './codec/chunk.ts'
import { type Columns, joined, taken } from './codec/columns.ts'
import { chunkName, sampleName } from './sealed-names.ts'
import { deleteSegments, insertSegments, readSegments, type Segment, sealSegments } from './segments.ts'
import { ensureSeries, findSeries, keyOwner, type Series } from './series.ts'
import type { StorePorts } from './store-ports.ts'

/** Where new segments are put: the log position of the correction, and part numbers that nothing else uses there. */
export interface MovePlace {
  readonly partition: number
  readonly position: number
  readonly storedMs: number
  nextPart: number
}

/** @returns how many readings went elsewhere */
export async function moveReadings(
  ports: StorePorts,
  tx: EngineTx,
  change: AssignmentChanged,
  place: MovePlace,
): Promise<number> {
  const series = await tx.asTenant(change.tenant, async (tenantTx) => {
    const all = await findSeries(tenantTx, { device: change.device })
    for (const one of all) await noteEnd(tenantTx, one, change)
    await moveGaps(tenantTx, change)
    return all
  })
  let moved = 0
  for (const from of series) {
    const key = await keyOrNull(ports, from)
    if (!key) continue // erased: nothing of it can be read, so nothing can be moved
    const { whole, segments, chunks } = await takeApart(ports, tx, from, key, change)
    if (whole === null) continue
    await deleteSegments(tx, segments)
    const { blobs } = await deleteChunks(tx, chunks)
    tx.afterCommit(() => {
      for (const blob of blobs) void ports.blobs.delete(blob).catch(() => {})
    })
    ports.fault?.('move: taken out')
    for (const [assignment, readings] of byWearer(whole, from, change)) {
      const to = assignment === from.assignment ? from : await targetOf(tx, from, assignment, change.assignments)
      const toKey = to === from ? key : await keyOrNull(ports, to)
      if (!toKey) continue // belongs to someone who was erased: it goes with them
      const at = { series: to.id, position: place.position, part: place.nextPart, storedMs: place.storedMs }
      const sealed = sealSegments(toKey, readings, at)
      place.nextPart += sealed.length
      await insertSegments(tx, place.partition, sealed)
      if (to === from) continue
      moved += readings.n
      await tx.publish(change.tenant, {
        type: 'SeriesMoved',
        device: change.device,
        from: String(from.id),
        to: String(to.id),
      })
    }
    ports.fault?.('move: put in')
  }
  return moved
}

async function keyOrNull(ports: StorePorts, series: Series): Promise<DataKey | null> {
  try {
    return await ports.keys.keyFor(...keyOwner(series))
  } catch (error) {
    if (error instanceof Failure && error.code === 'key-destroyed') return null
    throw error
  }
}

/** Readings of segments and chunks that hold at least one that belongs to another; null when none does. */
async function takeApart(ports: StorePorts, tx: EngineTx, from: Series, key: DataKey, change: AssignmentChanged) {
  const isForeign = (columns: Columns) =>
    columns.measuredAt.some((at) => wearerOf(at, from, change) !== from.assignment)
  const segments: Segment[] = []
  const chunks: ChunkRow[] = []
  const parts: Columns[] = []
  for (const chunk of await chunksSince(tx, ports.blobs, from.id, change.since)) {
    const name = chunkName(from.id, 0, chunk.fromMs, chunk.part, chunk.toMs, chunk.n)
    const columns = decodeReadings(key.open(chunk.body, name))
    if (!isForeign(columns)) continue
    chunks.push(chunk)
    parts.push(columns)
  }
  for (const segment of await readSegments(tx, [from.id])) {
    const columns = decodeReadings(key.open(segment.body, sampleName(from.id, segment.position, segment.part)))
    if (!isForeign(columns)) continue
    segments.push(segment)
    parts.push(columns)
  }
  return { whole: parts.length === 0 ? null : joined(parts), segments, chunks }
}

/** Readings before `since` are where they were: the correction says nothing of them. */
function wearerOf(at: number, from: Series, change: AssignmentChanged): string | null {
  return at < change.since ? from.assignment : (spanAt(change.assignments, at)?.id ?? null)
}

const spanAt = (history: readonly AssignmentSpan[], at: number): AssignmentSpan | undefined =>
  history.find((span) => at >= span.from && (span.to === null || at < span.to))

function byWearer(whole: Columns, from: Series, change: AssignmentChanged): Map<string | null, Columns> {
  const indexes = new Map<string | null, number[]>()
  for (let i = 0; i < whole.n; i++) {
    const wearer = wearerOf(whole.measuredAt[i]!, from, change)
    const own = indexes.get(wearer) ?? []
    indexes.set(wearer, own)
    own.push(i)
  }
  return new Map([...indexes].map(([wearer, own]) => [wearer, taken(whole, own)]))
}

async function targetOf(
  tx: EngineTx,
  from: Series,
  assignment: string | null,
  history: readonly AssignmentSpan[],
): Promise<Series> {
  const span = history.find((one) => one.id === assignment)
  const { tenant, device, signal } = from
  const name = { tenant, device, signal, assignment, subject: span?.subject ?? null }
  return tx.asTenant(tenant, async (tenantTx) => {
    const [to] = await ensureSeries(tenantTx, [name])
    if (span && span.to !== null) await setEnd(tenantTx, to!, span.to)
    return to!
  })
}

/** The end of the assignment, after which silence is no gap; an assignment that was never so ended before it began. */
async function noteEnd(tx: TenantTx, series: Series, change: AssignmentChanged): Promise<void> {
  if (series.assignment === null) return
  const span = change.assignments.find((one) => one.id === series.assignment)
  const end = span ? span.to : change.since
  if (end !== series.wornUntilMs) await setEnd(tx, series, end)
}

async function setEnd(tx: TenantTx, series: Series, endMs: number | null): Promise<void> {
  await tx.client.query('update tenant.series set worn_until_ms = $2 where id = $1 and tenant_id = $3', [
    ...[series.id, endMs, tx.tenant],
  ])
  if (endMs === null) return
  await tx.client.query(
    'delete from tenant.gap where tenant_id = $1 and series_id = $2 and to_ms is null and from_ms >= $3',
    [...[tx.tenant, series.id, endMs]],
  )
  await tx.client.query('update tenant.gap set to_ms = $3 where tenant_id = $1 and series_id = $2 and to_ms is null', [
    ...[tx.tenant, series.id, endMs],
  ])
}

/** A gap is the device's silence: it goes to whoever wore it then, and away when nobody did. */
async function moveGaps(tx: TenantTx, change: AssignmentChanged): Promise<void> {
  const { rows } = await tx.client.query<{ id: string; signal: string; from_ms: string; assignment: string | null }>(
    `select g.id, g.signal, g.from_ms, s.assignment from tenant.gap g join tenant.series s on s.id = g.series_id
      where g.tenant_id = $1 and s.tenant_id = $1 and s.device = $2 and g.from_ms >= $3`,
    [tx.tenant, change.device, change.since],
  )
  for (const row of rows) {
    const span = spanAt(change.assignments, Number(row.from_ms))
    if (span?.id === row.assignment) continue
    if (!span) await tx.client.query('delete from tenant.gap where tenant_id = $1 and id = $2', [tx.tenant, row.id])
    else await moveGap(tx, row, change.device, span)
    await tx.publish({ type: 'GapChanged', gap: row.id, series: '' })
  }
}

async function moveGap(
  tx: TenantTx,
  gap: { id: string; signal: string },
  device: string,
  span: AssignmentSpan,
): Promise<void> {
  const name = { tenant: tx.tenant, device, signal: gap.signal, assignment: span.id, subject: span.subject }
  const [to] = await ensureSeries(tx, [name])
  // One open gap a series: the one that moves in is the device's, and it is the newer knowledge.
  await tx.client.query(
    `delete from tenant.gap where tenant_id = $1 and series_id = $2 and to_ms is null and id <> $3
        and exists (select from tenant.gap g where g.tenant_id = $1 and g.id = $3 and g.to_ms is null)`,
    [tx.tenant, to!.id, gap.id],
  )
  await tx.client.query(
    `update tenant.gap set series_id = $3, subject = $4, to_ms = coalesce(to_ms, $5)
      where tenant_id = $1 and id = $2`,
    [tx.tenant, gap.id, to!.id, span.subject, span.to],
  )
}
