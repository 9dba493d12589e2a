/**
 * From the reading log to days on which something was measured: docs/adr/0012. A day is written once, by the zone in which its
 * subject lived then, and no later move changes it; a corrected assignment derives the device's days anew from what is stored.
 */
import { type EpochMs, Failure, type LogEntry, type ReadingsLogged } from '@careloop/contract'
import type { Engine, EngineTx, FoundEntry, LogFollower } from '../engine/index.ts'
import { DayRows } from './day-rows.ts'
import { deriveDays } from './derive-days.ts'
import { fail } from './errors.ts'
import { Calendar, countsAsMeasured, isClockSuspect, SeenDays } from './measurement-day.ts'
import type { StorePorts } from './store-ports.ts'
import { type Lived, livedOf, spanAt } from './zones.ts'

export const daysCursor = 'measurement-days'

/** Follows one holder's stretch of the log; begin with a new one after any error, since it remembers what it has written. */
export class DaysFollower implements LogFollower {
  readonly cursor = daysCursor
  readonly #engine: Engine
  readonly #seen = new SeenDays()
  readonly #calendar = new Calendar()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Nothing is asked of the database for readings of a day that is recorded. */
  wants(entry: LogEntry): boolean {
    if (entry.kind === 'assignment-changed') return true
    return entry.kind === 'readings' && entry.readings.some((reading) => this.#isNew(entry, reading))
  }

  #isNew({ subject, device, origin }: ReadingsLogged, reading: ReadingsLogged['readings'][number]): boolean {
    if (!countsAsMeasured(reading)) return false
    return !this.#seen.covers(subject, device, origin, reading.measuredAt, isClockSuspect(reading.flags))
  }

  /** @throws Failure `days-ahead` when telemetry has not yet moved the readings of a correction: try again */
  async take(tx: EngineTx, found: readonly FoundEntry[]): Promise<void> {
    const stretches = splitAtCorrections(found)
    for (const { readings, correction } of stretches) {
      for (const [tenant, entries] of Map.groupBy(readings, (entry) => entry.tenant))
        await this.#takeReadings(tx, tenant, entries)
      if (correction === undefined) continue
      await this.#assertMoved(correction.position)
      const { tenant, device, since } = correction.entry
      await deriveDays(portsOf(this.#engine), tx, this.#calendar, { tenant, device, since })
      this.#seen.forgetAll()
    }
  }

  async #takeReadings(tx: EngineTx, tenant: string, entries: readonly ReadingsLogged[]): Promise<void> {
    const fresh = entries.filter((entry) => entry.readings.some((reading) => this.#isNew(entry, reading)))
    if (fresh.length === 0) return
    const subjects = [...new Set(fresh.map((entry) => entry.subject))]
    const erased = new Set<string>()
    for (const subject of subjects) if (await isErased(this.#engine, subject)) erased.add(subject)
    await tx.asTenant(tenant, async (tenantTx) => {
      const lived = await livedOf(tenantTx, subjects)
      const rows = new DayRows()
      for (const entry of fresh) {
        const of = lived.get(entry.subject)
        if (of === undefined || erased.has(entry.subject)) continue
        if (of.kind === 'patient') this.#add(rows, entry, of)
        else this.#seen.passOver(entry.subject)
      }
      await rows.write(tenantTx)
    })
  }

  #add(rows: DayRows, entry: ReadingsLogged, lived: Lived): void {
    const { subject, device, origin } = entry
    for (const reading of entry.readings) {
      if (!this.#isNew(entry, reading)) continue
      const at = reading.measuredAt
      const zone = spanAt(lived, at)
      const day = this.#calendar.dayOf(at, zone.timeZone)
      const row = rows.add({
        ...{ subject, device, origin, localDate: day.date, timeZone: zone.timeZone, firstMeasuredAt: at },
        clockSuspect: isClockSuspect(reading.flags),
      })
      this.#seen.add(row, { from: Math.max(day.from, zone.since), to: Math.min(day.to, zone.until) })
    }
  }

  async #assertMoved(position: number): Promise<void> {
    if (Number(await this.#engine.db.cursor('telemetry:0')) >= position) return
    throw fail('days-ahead', 'Telemetry has not yet moved the readings of a correction. It is tried again.')
  }

  /** They may live in another zone from now on. */
  forget(subject: string): void {
    this.#seen.forget(subject)
  }
}

export const portsOf = ({ db, keys, compute, blobs }: Engine): StorePorts => ({
  db,
  keys,
  compute,
  blobs,
  fault: undefined,
})

/** Of whoever was erased nothing is kept any more, and no key is made for them. */
async function isErased({ keys }: Engine, subject: string): Promise<boolean> {
  try {
    await keys.keyFor('subject', subject)
    return false
  } catch (error) {
    if (error instanceof Failure && error.code === 'key-destroyed') return true
    throw error
  }
}

interface Stretch {
  readonly readings: readonly ReadingsLogged[]
  readonly correction:
    | { readonly position: number; readonly entry: { tenant: string; device: string; since: EpochMs } }
    | undefined
}

/** In the log's order: what was logged before a correction is taken before it. */
function splitAtCorrections(found: readonly FoundEntry[]): Stretch[] {
  const stretches: Stretch[] = []
  let readings: ReadingsLogged[] = []
  for (const { entry, position } of found) {
    if (entry.kind === 'readings') readings.push(entry)
    if (entry.kind !== 'assignment-changed') continue
    stretches.push({ readings, correction: { position, entry } })
    readings = []
  }
  return [...stretches, { readings, correction: undefined }]
}
