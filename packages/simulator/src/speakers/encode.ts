/** What is said, as bytes: our JSON, ThingsBoard's JSON, SenML (RFC 8428). */
import type { Utterance } from '../devices/virtual-device.ts'

type Measurement = Extract<Utterance, { what: 'measurement' }>

/** `{ts, values}`: ours and ThingsBoard's are the same here. */
export const jsonOf = ({ at, values }: Measurement) => ({ ts: at, values })

/** One SenML pack of measurements; times in seconds. What could not be measured has no record: SenML knows no null. */
export function senmlOf(measurements: readonly Measurement[], name: string): unknown[] {
  const records: Record<string, unknown>[] = []
  for (const { at, values } of measurements) {
    for (const [key, said] of Object.entries(values)) {
      if (said === null) continue
      const { value, unit } = typeof said === 'number' ? { value: said, unit: undefined } : said
      const base = records.length === 0 ? { bn: `${name}/` } : {}
      records.push({ ...base, n: key, t: at / 1000, v: value, ...(unit === undefined ? {} : { u: unit }) })
    }
  }
  return records
}
