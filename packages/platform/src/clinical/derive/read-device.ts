/** Stored readings of one device by subject, a stretch of time after the other: each stretch holds whole windows. */
import type { Engine } from '../../engine/index.ts'
import { type KeptReading, readSpans, type Series, spanOfReadings } from '../../telemetry/index.ts'
import { joinReadings } from './close-windows.ts'
import { longestWindowMs, windowOf } from './policy.ts'

export interface Stretch {
  readonly from: number
  readonly to: number
  /** Subject -> signal -> readings, sorted; '' = of nobody. */
  readonly bySubject: ReadonlyMap<string, ReadonlyMap<string, readonly KeptReading[]>>
}

/** A day: a stream of one reading a second is 86,400 of them. */
const STRETCH_MS = 24 * longestWindowMs

/** @param since ms; the window in which it lies is there as a whole */
export async function* readDevice(engine: Engine, series: readonly Series[], since: number): AsyncGenerator<Stretch> {
  if (series.length === 0) return // a device that is handed out for the first time: nothing is stored of it
  const span = await spanOfReadings(engine, series)
  if (span === null) return
  const begin = windowOf(series[0]!.device, Math.max(span.from, since), { windowMs: longestWindowMs })
  for (let from = begin; from <= span.to; from += STRETCH_MS) {
    const read = await readSpans(engine, series, from, from + STRETCH_MS - 1)
    if (read.length === 0) continue
    const bySubject = new Map<string, Map<string, readonly KeptReading[]>>()
    for (const [subject, own] of Map.groupBy(read, (one) => one.series.subject ?? ''))
      bySubject.set(
        subject,
        new Map(
          [...Map.groupBy(own, (one) => one.series.signal)].map(([signal, parts]) => [
            signal,
            joinReadings(parts.map(({ readings }) => readings)),
          ]),
        ),
      )
    yield { from, to: from + STRETCH_MS, bySubject }
  }
}
