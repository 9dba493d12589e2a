/** Who wore the device at `measuredAt`, not now: a frame that spans a change of wearer becomes one entry a wearer. Pure. */
import type { LoggedReading, ReadingsLogged } from '@careloop/contract'
import type { Attribution } from './attribution.ts'

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
    return { entries: [{ ...head, ...wearer, readings }], unworn: 0 }
  const byWearer = new Map<string, { wearer: { assignment: string; subject: string }; readings: LoggedReading[] }>()
  let unworn = 0
  for (const reading of readings) {
    const worn = attribution.whoWears(head.device, reading.measuredAt)
    if (!worn) {
      unworn++
      continue
    }
    const part = byWearer.get(worn.assignment) ?? { wearer: worn, readings: [] as LoggedReading[] }
    byWearer.set(worn.assignment, part)
    part.readings.push(reading)
  }
  return {
    entries: [...byWearer.values()].map((part) => ({ ...head, ...part.wearer, readings: part.readings })),
    unworn,
  }
}
