/**
 * What is derived of readings, made again from what telemetry keeps: the same ids, bodies and versions, byte for byte. What stands as
 * it should is left alone. Which message something came in is told again as far back as the log reaches; older Provenance stays as it is.
 */
import type { Engine, TenantTx } from '../../engine/index.ts'
import { findSeries, type Series } from '../../telemetry/index.ts'
import type { Clinical } from '../clinical.ts'
import { deriveStored, type Remade } from './derive-stored.ts'
import { observationsCursor } from './observation-work.ts'
import { People } from './people.ts'
import { readDevice } from './read-device.ts'
import { rebuildProvenance } from './rebuild-provenance.ts'
import { standingOf } from './standing.ts'
import { Rounds } from './take-entries.ts'

export interface RebuildQuestion {
  readonly tenant: string
  /** Absent = everybody. */
  readonly subject?: string | undefined
  /** Readings measured at or after it, ms; absent = all. */
  readonly since?: number | undefined
}

export interface Rebuilt {
  readonly devices: number
  /** Resources that follow from the readings. */
  readonly looked: number
  /** Those that were not there, or said something else. */
  readonly written: number
}

/** @param progress after each device of each subject: how many are done, of how many */
export async function rebuildObservations(
  engine: Engine,
  clinical: Clinical,
  question: RebuildQuestion,
  progress: (done: number, of: number) => void = () => {},
): Promise<Rebuilt> {
  const { tenant, subject, since = Number.NEGATIVE_INFINITY } = question
  const until = await toldUntil(engine)
  const people = new People(engine, clinical)
  const series = await engine.db.asTenant(tenant, (tx) => findSeries(tx, subject === undefined ? {} : { subject }))
  const devices = [
    ...Map.groupBy(
      series.filter((one) => one.subject !== null),
      (one) => `${one.subject} ${one.device}`,
    ).values(),
  ]
  let [looked, written] = [0, 0]
  for (const [i, own] of devices.entries()) {
    const done = await rebuildDevice({ engine, clinical, people }, own, { tenant, since, until })
    looked += done.looked
    written += done.written
    progress(i + 1, devices.length)
  }
  const frames = await rebuildProvenance({ engine, clinical, people }, question)
  return { devices: devices.length, looked: looked + frames.looked, written: written + frames.written }
}

export interface RebuildParts {
  readonly engine: Engine
  readonly clinical: Clinical
  readonly people: People
}

/** Of the log's time: what came later, the stage that follows the log will tell. */
async function toldUntil(engine: Engine): Promise<number> {
  const cursor = Number(await engine.db.cursor(observationsCursor))
  if (cursor === 0) return Number.NEGATIVE_INFINITY
  const [commit] = await engine.log.read(0, cursor - 1, 1)
  return commit?.storedAt ?? engine.clock.now()
}

async function rebuildDevice(
  parts: RebuildParts,
  series: readonly Series[],
  { tenant, since, until }: { tenant: string; since: number; until: number },
): Promise<{ looked: number; written: number }> {
  const { device, subject } = series[0]!
  let [looked, written] = [0, 0]
  for await (const { bySubject } of readDevice(parts.engine, series, since)) {
    const done = await parts.engine.db.asTenant(tenant, async (tx) => {
      const whose = (await parts.people.of(tx, [subject!])).get(subject!)
      if (whose === undefined) return { looked: 0, written: 0 }
      const bySignal = bySubject.get(subject!) ?? new Map()
      return writeAgain(parts, tx, (await deriveStored({ whose, device, bySignal, until })).versions)
    })
    looked += done.looked
    written += done.written
  }
  return { looked, written }
}

/** What is lost comes back with all its versions; what says something else gets one more, made now. */
export async function writeAgain(
  { engine, clinical }: Pick<RebuildParts, 'engine' | 'clinical'>,
  tx: TenantTx,
  versions: Remade['versions'],
): Promise<{ looked: number; written: number }> {
  const before = await standingOf(clinical, tx, versions.keys())
  const now = engine.clock.now()
  const rounds = new Rounds()
  for (const [name, all] of versions) rounds.add(before.has(name) ? [{ ...all.at(-1)!, at: now }] : all)
  for (const round of rounds.all) await clinical.keepDerived(tx, round)
  const after = await standingOf(clinical, tx, versions.keys())
  const written = [...after].filter(
    ([name, resource]) => before.get(name)?.meta?.versionId !== resource.meta?.versionId,
  ).length
  return { looked: versions.size, written }
}
