/** Days on which something was measured, as billing and pages read them. */
import type { MeasurementDays } from '@careloop/contract'
import type { TenantTx } from '../engine/index.ts'
import { fail } from './errors.ts'

type Row = {
  local_date: string
  time_zone: string
  device_id: string
  origin: MeasurementDays['days'][number]['origin']
  first_measured_at: string
  clock_suspect: boolean
}

const longestMs = 400 * 86_400_000

/** By date, then device. @param from, to YYYY-MM-DD, both included @throws Failure `range-invalid` */
export async function readDays(
  tx: TenantTx,
  { subject, from, to }: { subject: string; from: string; to: string },
): Promise<MeasurementDays['days']> {
  if (to < from || Date.parse(to) - Date.parse(from) > longestMs)
    throw fail('range-invalid', 'Ask for at most 400 days, the last not before the first.', { pointer: '/query/to' })
  const { rows } = await tx.client.query<Row>(
    `select local_date, time_zone, device_id, origin, first_measured_at, clock_suspect from tenant.measurement_day
      where tenant_id = $1 and subject_id = $2 and local_date >= $3 and local_date <= $4
      order by local_date, first_measured_at, device_id`,
    [tx.tenant, subject, from, to],
  )
  return rows.map((row) => ({
    ...{ localDate: row.local_date, timeZone: row.time_zone, device: row.device_id, origin: row.origin },
    firstMeasuredAt: Number(row.first_measured_at),
    ...(row.clock_suspect ? { clockSuspect: true } : {}),
  }))
}
