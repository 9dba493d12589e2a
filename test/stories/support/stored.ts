/** What is stored of the devices of a story, in the log and in telemetry, by opening everything. */
import type { Rooms } from '../../../packages/platform/src/app/rooms.ts'
import type { Engine } from '../../../packages/platform/src/engine/index.ts'
import { toReadings } from '../../../packages/platform/src/telemetry/codec/columns.ts'
import { listParts, PartReader } from '../../../packages/platform/src/telemetry/read-store.ts'
import { findSeries } from '../../../packages/platform/src/telemetry/series.ts'
import { numberOf, SIGNAL } from './story-device.ts'
import { waitFor } from './wait.ts'

/** How often each message of a device is stored: device -> number of the message -> times. */
export type Stored = Map<string, Map<number, number>>

function count(stored: Stored, device: string, value: unknown): void {
  if (typeof value !== 'number') throw new Error('a device of a story sends numbers only')
  const numbers = stored.get(device) ?? new Map<number, number>()
  stored.set(device, numbers)
  numbers.set(numberOf(value), (numbers.get(numberOf(value)) ?? 0) + 1)
}

export async function storedInLog(engine: Engine): Promise<Stored> {
  const stored: Stored = new Map()
  for (let after = 0; ; ) {
    const commits = await engine.log.read(0, after, 20_000)
    if (commits.length === 0) return stored
    for (const { position, entries } of commits) {
      if (position !== after + 1) throw new Error(`the log has a hole after ${after}`)
      after = position
      for (const entry of entries)
        if (entry.kind === 'readings')
          for (const { signal, value } of entry.readings) if (signal === SIGNAL) count(stored, entry.device, value)
    }
  }
}

const FOR_EVER = 8.64e15

/** Open segments and sealed chunks together, at one moment. */
export async function storedInTelemetry({ engine }: Rooms): Promise<Stored> {
  const stored: Stored = new Map()
  for (const tenant of await engine.db.tenants())
    await engine.db.asEngine(async (tx) => {
      await tx.client.query('set transaction isolation level repeatable read')
      const series = (await tx.asTenant(tenant, (inner) => findSeries(inner, {}))).filter(
        (one) => one.signal === SIGNAL,
      )
      const byId = new Map(series.map((one) => [one.id, one]))
      const ids = series.map(({ id }) => id)
      const parts = (await listParts(tx, ids, 0, FOR_EVER)).filter(({ kind }) => kind === 'open' || kind === 'raw')
      for await (const { part, columns } of new PartReader(engine, tx, series).readings(parts))
        for (const { value } of toReadings(columns)) count(stored, byId.get(part.series)!.device, value)
    })
  return stored
}

/** Resolves when what was in the log by now has been taken in by the stages that follow it. */
export async function caughtUp(
  engine: Engine,
  stages: readonly string[] = ['telemetry:0', 'alerting:0'],
): Promise<void> {
  const head = await engine.log.head(0)
  for (const stage of stages)
    await waitFor(`${stage} to reach ${head}`, async () => Number(await engine.db.cursor(stage)) >= head)
}

export interface Verdict {
  readonly acknowledged: number
  readonly stored: number
  /** Messages, as `device naming number`. */
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  readonly invented: readonly string[]
}

interface Told {
  readonly options: { readonly device: string; readonly naming: string }
  readonly sent: ReadonlySet<number>
  readonly acknowledged: ReadonlySet<number>
}

/** Exactly once: acknowledged and missing is lost; stored twice is doubled, acknowledged or not. */
export function judge(devices: readonly Told[], stored: Stored): Verdict {
  const [lost, doubled, invented]: [string[], string[], string[]] = [[], [], []]
  let [acknowledged, readings] = [0, 0]
  for (const { options, ...told } of devices) {
    const numbers = stored.get(options.device) ?? new Map<number, number>()
    const name = (n: number) => `${options.device.slice(-6)} ${options.naming} ${n}`
    acknowledged += told.acknowledged.size
    readings += numbers.size
    for (const n of told.acknowledged) if (!numbers.has(n)) lost.push(name(n))
    for (const [n, times] of numbers) {
      if (times > 1) doubled.push(name(n))
      if (!told.sent.has(n)) invented.push(name(n))
    }
  }
  return { acknowledged, stored: readings, lost, doubled, invented }
}
