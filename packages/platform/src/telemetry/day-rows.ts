/** Days as rows, written many at a time; writing one again changes nothing but for an earlier first reading or a better clock. */
import type { TenantTx } from '../engine/index.ts'
import type { MeasurementDay } from './measurement-day.ts'

/** Days of one transaction, each once. */
export class DayRows {
  readonly #days = new Map<string, MeasurementDay>()

  /** @returns the day as it will be written */
  add(day: MeasurementDay): MeasurementDay {
    const key = `${day.subject} ${day.device} ${day.origin} ${day.localDate}`
    const known = this.#days.get(key)
    const merged =
      known === undefined
        ? day
        : {
            ...known,
            firstMeasuredAt: Math.min(known.firstMeasuredAt, day.firstMeasuredAt),
            clockSuspect: known.clockSuspect && day.clockSuspect,
          }
    this.#days.set(key, merged)
    return merged
  }

  async write(tx: TenantTx): Promise<void> {
    const days = [...this.#days.values()]
    if (days.length === 0) return
    await tx.client.query(
      `insert into tenant.measurement_day as d
         (tenant_id, subject_id, device_id, origin, local_date, time_zone, first_measured_at, clock_suspect)
       select $1::uuid, n.* from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::boolean[]) as n
       on conflict (tenant_id, subject_id, local_date, device_id, origin) do update
          set first_measured_at = least(d.first_measured_at, excluded.first_measured_at),
              clock_suspect = d.clock_suspect and excluded.clock_suspect
        where excluded.first_measured_at < d.first_measured_at or (d.clock_suspect and not excluded.clock_suspect)`,
      [
        tx.tenant,
        days.map((day) => day.subject),
        days.map((day) => day.device),
        days.map((day) => day.origin),
        days.map((day) => day.localDate),
        days.map((day) => day.timeZone),
        days.map((day) => Math.floor(day.firstMeasuredAt)),
        days.map((day) => day.clockSuspect),
      ],
    )
  }
}
