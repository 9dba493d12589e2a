/** A series answer as a chart: readings as points, buckets as means within their band, gaps as gaps. */
import { signal } from '@careloop/contract'
import type { Series } from '../../api/endpoints.ts'
import type { PlotLine, PlotModel, PlotPoint } from '../../parts/plot/model.ts'

type Asked = Series & { readonly from: number; readonly to: number }
type Reading = Series['series'][number]['readings'][number]
type Bucket = Series['series'][number]['buckets'][number]

/** What stands for a value that is no number: `LOW`-like `< 40`, or why there is none. */
export function valueText(value: Reading['value'], code: string): string {
  if (typeof value === 'number') return value.toFixed(signal(code)?.decimals ?? 0)
  return 'absent' in value ? 'no value' : `${value.comparator} ${value.limit}`
}

/** One line a device: two probes of one signal never become one line. */
export function chartOf(answer: Asked, code: string, label: string, unit: string): PlotModel {
  const own = answer.series.filter((each) => each.signal === code)
  const devices = new Set(own.map((each) => each.device))
  const lines = [...Map.groupBy(own, (each) => each.device).values()].map(
    (parts, index): PlotLine => ({
      label: devices.size === 1 ? label : `${label}, device ${index + 1}`,
      decimals: signal(code)?.decimals ?? 0,
      points: brokenAt(
        parts.flatMap((part) => [
          ...part.readings.map(pointOf),
          ...part.buckets.map((each) => bandOf(each, answer.widthMs ?? 0)),
        ]),
        answer.gaps,
      ),
    }),
  )
  const gaps = answer.gaps.map(({ from, to }) => ({ from, to: to ?? answer.to }))
  return { unit, lines, limits: [], gaps, bars: false, from: answer.from, to: answer.to }
}

const pointOf = ({ measuredAt, value }: Reading): PlotPoint => ({
  at: measuredAt,
  value: typeof value === 'number' ? value : null,
})

const bandOf = ({ start, mean, min, max }: Bucket, widthMs: number): PlotPoint => ({
  at: start + widthMs / 2,
  value: mean,
  ...(min === null || max === null ? {} : { low: min, high: max }),
})

/** No line is drawn across a gap: a point without a value stands at its beginning. */
function brokenAt(points: readonly PlotPoint[], gaps: Series['gaps']): PlotPoint[] {
  const breaks = gaps.map(({ from }): PlotPoint => ({ at: from + 1, value: null }))
  return [...points, ...breaks].sort((a, b) => a.at - b.at)
}
