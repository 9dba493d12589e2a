/** Who wore the device at `measuredAt`, not now: a frame that spans a change of wearer becomes one entry a wearer. Pure. */
import type { LoggedReading, ReadingsLogged } from '@careloop/contract'
import type { Attribution } from '../fleet/index.ts'

export function attributeReadings(
  head: Omit<ReadingsLogged, 'assignment' | 'subject' | 'readings'>,
  readings: readonly LoggedReading[],
  attribution: Pick<Attribution, 'whoWears'>,
): { readonly entries: readonly ReadingsLogged[]; readonly unworn: number } {
  const first = readings[0]
  if (!first) return { entries: [], unworn: 0 }
  const wearer = attribution.whoWears(head.device, first.measuredAt)
  // Nearly always all readings of a frame have one time, and so one wearer.
  if (wearer && readings.every((reading) => reading.measuredAt === first.measuredAt))
    return { entries: [{ ...head, assignment: wearer.id, subject: wearer.subject, readings }], unworn: 0 }
  const byWearer = new Map<string, { subject: string; readings: LoggedReading[] }>()
  let unworn = 0
  for (const reading of readings) {
    const worn = attribution.whoWears(head.device, reading.measuredAt)
    if (!worn) {
      unworn++
      continue
    }
    const part = byWearer.get(worn.id) ?? { subject: worn.subject, readings: [] as LoggedReading[] }
    byWearer.set(worn.id, part)
    part.readings.push(reading)
  }
  const entries = [...byWearer].map(([assignment, part]) => ({ ...head, assignment, ...part }))
  return { entries, unworn }
}
