/**
 * Turns open segments into chunks. One transaction takes the segments and the chunks they join and puts the new chunks in
 * their place: a crash at any moment leaves either the old rows or the new. A second sealer finds rows gone and gives up.
 */
import type { DataKey, EngineTx } from '../engine/index.ts'
import {
  type ChunkRow,
  deleteChunks,
  insertChunks,
  readChunks,
  readRollupKeys,
  readSpans,
  type StoredSpan,
} from './chunks.ts'
import { decodeReadings } from './codec/chunk.ts'
import { fail } from './errors.ts'
import { planSeal, type SealGroup } from './seal-plan.ts'
import type { Packed, SealJob, SealResult } from './seal-worker.ts'
import { chunkName, sampleName } from './sealed-names.ts'
import { deleteSegments, readSegments, type Segment } from './segments.ts'
import { keyOwner, type Series } from './series.ts'
import type { StorePorts } from './store-ports.ts'

const WORKER = new URL('./seal-worker.ts', import.meta.url)

/** What is told when a seal is done. */
export interface Sealed {
  readonly segments: readonly Segment[]
  readonly readings: number
  readonly bytes: number
  /** Exact repeats of what was stored before. */
  readonly repeats: number
}

/**
 * Seals all open segments of the series.
 * @param guard runs inside the transaction, before anything is written: the lease
 * @throws Failure `segment-vanished` when another process sealed or moved them meanwhile
 */
export async function sealSeries(
  ports: StorePorts,
  series: readonly Series[],
  guard: (tx: EngineTx) => Promise<void>,
): Promise<Sealed> {
  const plan = await ports.db.asEngine((tx) => gather(ports, tx, series))
  if (plan.segments.length === 0) return { segments: [], readings: 0, bytes: 0, repeats: 0 }
  ports.fault?.('seal: planned')
  const { bytes, rows } = await ports.compute.run<SealJob, SealResult>(WORKER, plan.job, [
    plan.job.bytes.buffer as ArrayBuffer,
  ])
  const chunks = rows.map(({ start, end, ...row }): ChunkRow => ({ ...row, body: bytes.subarray(start, end) }))
  await ports.db.asEngine(async (tx) => {
    await guard(tx)
    ports.fault?.('seal: begun')
    const found = await deleteSegments(tx, plan.segments)
    if (found !== plan.segments.length) throw vanished()
    ports.fault?.('seal: segments deleted')
    const { raw, blobs } = await deleteChunks(tx, plan.absorbed)
    if (raw !== plan.absorbed.length) throw vanished()
    await insertChunks(tx, chunks)
    ports.fault?.('seal: chunks inserted')
    tx.afterCommit(() => {
      for (const blob of blobs) void ports.blobs.delete(blob).catch(() => {}) // its row is gone: sweep takes what stays
    })
  })
  ports.fault?.('seal: committed')
  const readings = sumOf(plan.segments)
  const repeats = readings + sumOf(plan.absorbed) - sumOf(rows.filter((row) => row.tier === 0))
  return { segments: plan.segments, readings, bytes: bytes.length, repeats }
}

const sumOf = (some: readonly { readonly n: number }[]) => some.reduce((sum, { n }) => sum + n, 0)

const vanished = () =>
  fail('segment-vanished', 'Another process sealed these readings meanwhile. Nothing was changed; it is tried again.')

interface SealPlan {
  readonly segments: readonly Segment[]
  readonly absorbed: readonly StoredSpan[]
  readonly job: SealJob
}

async function gather(ports: StorePorts, tx: EngineTx, series: readonly Series[]): Promise<SealPlan> {
  const ids = series.map((one) => one.id)
  const segments = await readSegments(tx, ids)
  const bySeries = Map.groupBy(segments, (segment) => segment.series)
  const busy = series.filter((one) => bySeries.has(one.id))
  const firstMs = busy.map((one) => Math.min(...bySeries.get(one.id)!.map((segment) => segment.firstMs)))
  const busyIds = busy.map((one) => one.id)
  const spans = Map.groupBy(await readSpans(tx, busyIds, firstMs), (span) => span.series)
  const plans = await Promise.all(
    busy.map((one) => planOne(ports, one, bySeries.get(one.id)!, spans.get(one.id) ?? [])),
  )
  const orphans = Map.groupBy(await readRollupKeys(tx, busyIds, firstMs), (key) => key.series)
  const absorbed = plans.flatMap((plan) => plan.absorbed)
  const bodies = await readChunks(tx, ports.blobs, absorbed)
  const block = new Block()
  let at = 0
  const jobs = plans.map(({ series, key, open, there, groups, absorbed }) => ({
    id: series.id,
    key: key.raw.slice(),
    taken: [...remaining(there, absorbed), ...(orphans.get(series.id) ?? []).map(pairOf)],
    open: open.map((segment) => block.add(segment.body, nameOf(segment))),
    groups: groups.map((group) => ({
      ...group,
      bodies: group.absorbs.map(() => {
        const chunk = bodies[at++]
        if (!chunk) throw vanished()
        return block.add(chunk.body, chunkName(chunk.series, 0, chunk.fromMs, chunk.part, chunk.toMs, chunk.n))
      }),
    })),
  }))
  return { segments, absorbed, job: { bytes: block.bytes(), series: jobs } }
}

async function planOne(ports: StorePorts, series: Series, open: readonly Segment[], there: readonly StoredSpan[]) {
  const key = await ports.keys.keyFor(...keyOwner(series))
  const groups: SealGroup[] = planSeal(there, openTimes(open, there, key))
  const absorbed = groups.flatMap((group) => group.absorbs.map((span) => ({ ...span, series: series.id })))
  return { series, key, open, there, groups, absorbed }
}

const pairOf = (key: { fromMs: number; part: number }): [number, number] => [key.fromMs, key.part]

const nameOf = (segment: Segment): string => sampleName(segment.series, segment.position, segment.part)

/** Times of open readings. Segments after the last chunk are not opened here: for the plan they are all "after". */
function openTimes(segments: readonly Segment[], spans: readonly StoredSpan[], key: DataKey): number[] {
  const sealedTo = spans.at(-1)?.toMs ?? Number.NEGATIVE_INFINITY
  const times: number[] = []
  for (const segment of segments) {
    if (segment.firstMs >= sealedTo) for (let i = 0; i < segment.n; i++) times.push(segment.firstMs)
    else {
      for (const at of decodeReadings(key.open(segment.body, nameOf(segment))).measuredAt) times.push(at)
    }
  }
  return times
}

/** Chunks that stay: a new one beginning in the same ms takes the next part number. */
function remaining(there: readonly StoredSpan[], absorbed: readonly StoredSpan[]): [number, number][] {
  const gone = new Set(absorbed.map((span) => `${span.fromMs} ${span.part}`))
  return there.filter((span) => !gone.has(`${span.fromMs} ${span.part}`)).map(pairOf)
}

/** Bodies in one block of bytes that can be handed to another thread as it is. */
class Block {
  readonly #parts: Uint8Array[] = []
  #length = 0

  add(body: Uint8Array, name: string): Packed {
    this.#parts.push(body)
    const start = this.#length
    this.#length += body.length
    return { start, end: this.#length, name }
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length)
    let at = 0
    for (const part of this.#parts) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }
}
