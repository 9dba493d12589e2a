/** Readings of some series within a span, one by one, for rooms that make something of them. */
import type { EpochMs } from '@careloop/contract'
import { Failure } from '@careloop/contract'
import { bigints, type Engine } from '../engine/index.ts'
import { type Columns, joined, type KeptReading, toReadings } from './codec/columns.ts'
import { listParts, PartReader, within } from './read-store.ts'
import { keyOwner, type Series } from './series.ts'

export interface SpanReadings {
  readonly series: Series
  /** In order of (measuredAt, ordinal); exact repeats are one. */
  readonly readings: readonly KeptReading[]
}

/**
 * What is stored of them, open and sealed, seen at one moment. Of whoever was erased, and of series without any reading there,
 * nothing. Raw readings only: what retention has let go is not there.
 * @param from both ends included
 */
export async function readSpans(
  engine: Engine,
  series: readonly Series[],
  from: EpochMs,
  to: EpochMs,
): Promise<SpanReadings[]> {
  const able = await withKeys(engine, series)
  if (able.length === 0) return []
  const { db, keys, compute, blobs } = engine
  const found = new Map<number, Columns[]>()
  await db.asEngine(async (tx) => {
    // One moment for all that is read: a seal between two statements would show readings twice or not at all.
    await tx.client.query('set transaction isolation level repeatable read')
    const ids = able.map((one) => one.id)
    const parts = (await listParts(tx, ids, from, to)).filter(({ kind }) => kind === 'open' || kind === 'raw')
    const reader = new PartReader({ db, keys, compute, blobs }, tx, able)
    for await (const { part, columns } of reader.readings(parts)) {
      const inside = within(columns, from, to)
      if (inside.n > 0) found.set(part.series, [...(found.get(part.series) ?? []), inside])
    }
  })
  return able.flatMap((one) => {
    const parts = found.get(one.id)
    return parts === undefined ? [] : [{ series: one, readings: toReadings(joined(parts)) }]
  })
}

/** When the oldest and the newest reading of these series were measured, ms; null when nothing is stored one by one. */
export async function spanOfReadings(
  { db }: Pick<Engine, 'db'>,
  series: readonly Series[],
): Promise<{ readonly from: EpochMs; readonly to: EpochMs } | null> {
  const ids = bigints(series.map((one) => one.id))
  const { rows } = await db.asEngine((tx) =>
    tx.client.query<{ first: string | null; last: string | null }>(
      `select min(first) as first, max(last) as last from (
         select min(first_ms) as first, max(last_ms) as last from engine.sample where series_id = any($1::bigint[])
         union all
         select min(from_ms), max(to_ms) from engine.chunk where series_id = any($1::bigint[]) and tier = 0) spans`,
      [ids],
    ),
  )
  const { first = null, last = null } = rows[0] ?? {}
  return first === null || last === null ? null : { from: Number(first), to: Number(last) }
}

async function withKeys({ keys }: Engine, series: readonly Series[]): Promise<Series[]> {
  const able: Series[] = []
  for (const one of series)
    try {
      await keys.keyFor(...keyOwner(one))
      able.push(one)
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'key-destroyed') throw error
    }
  return able
}
