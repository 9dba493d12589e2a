/** Writes the summaries of windows that are due: from what was counted, or from telemetry where not all was counted here. */
import type { Engine, EngineTx, TenantTx } from '../../engine/index.ts'
import { findSeries, type KeptReading, readSpans } from '../../telemetry/index.ts'
import type { Clinical, Derived } from '../clinical.ts'
import { tellOutOfRange } from './out-of-range.ts'
import type { People } from './people.ts'
import { provenanceOfWindow } from './provenance.ts'
import { keepWhatCan } from './set-aside.ts'
import { Rounds } from './take-entries.ts'
import type { Whose } from './told.ts'
import { samplesObservation, summaryObservation, totalsOf } from './window-observation.ts'
import { type OpenWindow, settleWindows } from './windows.ts'

export interface ClosingParts {
  readonly engine: Engine
  readonly clinical: Pick<Clinical, 'keepDerived' | 'ridOf'>
  readonly people: People
}

/**
 * @param within runs the work in a transaction that holds the lease
 * @returns how many resources were written
 */
export async function closeWindows(
  parts: ClosingParts,
  windows: readonly OpenWindow[],
  within: (work: (tx: EngineTx) => Promise<void>) => Promise<void>,
): Promise<number> {
  let written = 0
  for (const [tenant, own] of Map.groupBy(windows, ({ name }) => name.tenant)) {
    const unknown = own.filter(({ totals }) => totals === null)
    const readings = await readingsOf(parts.engine, tenant, unknown)
    await within((tx) =>
      tx.asTenant(tenant, async (tenantTx) => {
        written += await write(parts, tenantTx, own, readings)
      }),
    )
  }
  return written
}

async function write(
  { clinical, people }: ClosingParts,
  tx: TenantTx,
  windows: readonly OpenWindow[],
  readings: ReadonlyMap<OpenWindow, readonly KeptReading[]>,
): Promise<number> {
  const known = await people.of(
    tx,
    windows.map(({ name }) => name.subject),
  )
  const rounds = new Rounds()
  for (const window of windows) {
    const whose = known.get(window.name.subject)
    const made = whose === undefined ? undefined : observationOf(whose, window, readings.get(window) ?? [])
    if (whose !== undefined && made !== undefined) rounds.add([made, provenanceOfWindow(whose, window.name, made)])
  }
  const kept: Derived[] = []
  for (const round of rounds.all) kept.push(...(await keepWhatCan(clinical, tx, round, people.setAside)))
  await tellOutOfRange(clinical, tx, kept)
  await settleWindows(tx, windows)
  return kept.length
}

/**
 * @param readings of the window, sorted; looked at where its totals are not known
 * @returns undefined when each reading of it is an Observation already, or there is none
 */
export function observationOf(
  whose: Whose,
  { name, policy, due, totals }: Pick<OpenWindow, 'name' | 'policy' | 'due' | 'totals'>,
  readings: readonly KeptReading[],
): Derived | undefined {
  const known = totals ?? totalsOf(readings)
  if (known.total <= policy.each) return undefined
  if (policy.form === 'samples') return samplesObservation(whose, name, readings, due)
  return summaryObservation(whose, name, known, due)
}

/** What telemetry holds of them that had come when each was due. */
async function readingsOf(
  engine: Engine,
  tenant: string,
  windows: readonly OpenWindow[],
): Promise<ReadonlyMap<OpenWindow, readonly KeptReading[]>> {
  const found = new Map<OpenWindow, readonly KeptReading[]>()
  const spans = Map.groupBy(windows, ({ name, policy }) => `${name.from} ${policy.windowMs}`)
  for (const same of spans.values()) {
    const { name, policy } = same[0]!
    const wanted = new Set(same.map((window) => seriesKey(window.name)))
    const series = await engine.db.asTenant(tenant, (tx) =>
      findSeries(tx, { devices: [...new Set(same.map((window) => window.name.device))] }),
    )
    const own = series.filter(({ device, signal, subject }) =>
      wanted.has(seriesKey({ device, signal, subject: subject ?? '' })),
    )
    const read = await readSpans(engine, own, name.from, name.from + policy.windowMs - 1)
    const byKey = Map.groupBy(read, ({ series: { device, signal, subject } }) =>
      seriesKey({ device, signal, subject: subject ?? '' }),
    )
    for (const window of same)
      found.set(
        window,
        hadCome(joinReadings((byKey.get(seriesKey(window.name)) ?? []).map((one) => one.readings)), window.due),
      )
  }
  return found
}

/** What is kept without storedAt came within 10 s, and so in time. */
export const hadCome = (readings: readonly KeptReading[], due: number): readonly KeptReading[] =>
  readings.filter(({ storedAt }) => storedAt === undefined || storedAt < due)

/** One series of several assignments of the same person to the same device. */
export const joinReadings = (parts: readonly (readonly KeptReading[])[]): readonly KeptReading[] =>
  parts.length === 1 ? parts[0]! : parts.flat().sort((a, b) => a.measuredAt - b.measuredAt || a.ordinal - b.ordinal)

const seriesKey = ({ device, signal, subject }: { device: string; signal: string; subject: string }): string =>
  `${device} ${signal} ${subject}`
