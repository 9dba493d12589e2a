/**
 * Values at even distances as FHIR's SampledData: whole numbers times a factor. `E` = no value at that place, `L` and `U` = beyond
 * a limit. Pure. Source: FHIR R4 SampledData; PHD's real-time sample array.
 */
import { isAbsent, isCensored, type Signal, withoutNoise } from '@careloop/contract'
import type { KeptReading } from '../../telemetry/index.ts'
import { quantityOf } from './values.ts'

/** A hole longer than all data is written as so many `E` at most: an hour of silence is not worth a page of letters. */
const MAX_PLACES = 20_000

/** @param readings sorted by time, at least one */
export function sampledData(row: Signal, readings: readonly KeptReading[]): object {
  const period = periodOf(readings)
  const factor = 10 ** -row.decimals
  const data: string[] = []
  let before = readings[0]!.measuredAt
  for (const [i, reading] of readings.entries()) {
    // Distances are counted one after another: a clock that drifts within the window loses no sample.
    const steps = i === 0 ? 1 : Math.max(1, Math.round((reading.measuredAt - before) / period))
    for (let hole = 1; hole < steps && data.length < MAX_PLACES; hole++) data.push('E')
    data.push(placeOf(reading, factor))
    before = reading.measuredAt
  }
  const { value: _, ...unit } = quantityOf(row)(0) as { value: number }
  return {
    origin: { value: 0, ...unit },
    period,
    ...(factor === 1 ? {} : { factor: withoutNoise(factor) }),
    ...limits(readings, factor),
    dimensions: 1,
    data: data.join(' '),
  }
}

function placeOf(reading: KeptReading, factor: number): string {
  const { value } = reading
  return typeof value === 'number' ? String(Math.round(value / factor)) : letterOf(reading)!
}

/** Smallest and greatest that can be said, where something lay beyond; in steps of the factor, as the data. */
function limits(readings: readonly KeptReading[], factor: number): object {
  const found = (comparator: '<' | '>') =>
    readings.flatMap(({ value }) =>
      typeof value === 'object' && 'comparator' in value && value.comparator === comparator ? [value.limit] : [],
    )
  const [below, above] = [found('<'), found('>')]
  return {
    ...(below.length === 0 ? {} : { lowerLimit: Math.round(Math.max(...below) / factor) }),
    ...(above.length === 0 ? {} : { upperLimit: Math.round(Math.min(...above) / factor) }),
  }
}

/** ms between two samples: the mean of the distances that are about the usual one; a hole is none. */
function periodOf(readings: readonly KeptReading[]): number {
  const distances = readings.slice(1).map(({ measuredAt }, i) => measuredAt - readings[i]!.measuredAt)
  const real = distances.filter((ms) => ms > 0).sort((a, b) => a - b)
  if (real.length === 0) return 1000
  const usual = real[Math.floor(real.length / 2)]!
  const near = real.filter((ms) => ms > usual / 2 && ms < usual * 1.5)
  return withoutNoise(Number((near.reduce((sum, ms) => sum + ms, 0) / near.length).toFixed(3)))
}

/** Whether a reading stands for no number: in SampledData `E`, `L` or `U`. */
const letterOf = ({ value }: Pick<KeptReading, 'value'>): 'E' | 'L' | 'U' | null =>
  isAbsent(value) ? 'E' : isCensored(value) ? (value.comparator === '<' ? 'L' : 'U') : null
