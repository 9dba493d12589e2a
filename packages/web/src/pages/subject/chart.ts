/** A series answer as a chart: readings as points, buckets as means within their band, gaps as gaps. */
import { signal } from '@careloop/contract'
import type { Series } from '../../api/endpoints.ts'
import type { PlotLine, PlotModel, PlotPoint } from '../../parts/plot/model.ts'
import { flagWords } from '../../parts/words.ts'
import { labelOf } from './shown-signals.ts'

type Asked = Series & { readonly from: number; readonly to: number }
type Reading = Series['series'][number]['readings'][number]
type Bucket = Series['series'][number]['buckets'][number]

/**
 * One line a signal and device: two probes of one signal never become one line. Blood pressure of one device is bars.
 * @param answers one for each of `codes`, asked at about the same time
 */
export function chartOf(answers: readonly Asked[], codes: readonly string[], unit: string): PlotModel {
  const lines = codes.flatMap((code, index) => linesOf(answers[index]!, code))
  const from = Math.min(...answers.map((answer) => answer.from))
  const to = Math.max(...answers.map((answer) => answer.to))
  const gaps = answers.flatMap((answer) => answer.gaps.map((gap) => ({ from: gap.from, to: gap.to ?? to })))
  const bars = codes.length === 2 && lines.length === 2
  return { unit, lines, limits: [], gaps, bars, from, to }
}

function linesOf(answer: Asked, code: string): PlotLine[] {
  const own = answer.series.filter((each) => each.signal === code)
  const byDevice = [...Map.groupBy(own, (each) => each.device).values()]
  return byDevice.map((parts, index) => ({
    label: byDevice.length === 1 ? labelOf(code) : `${labelOf(code)}, device ${index + 1}`,
    decimals: signal(code)?.decimals ?? 0,
    points: brokenAt(
      parts.flatMap((part) => [
        ...part.readings.map(pointOf),
        ...part.buckets.map((each) => bandOf(each, answer.widthMs ?? 0)),
      ]),
      answer.gaps,
    ),
  }))
}

const pointOf = ({ measuredAt, value, flags }: Reading): PlotPoint => ({
  at: measuredAt,
  value: typeof value === 'number' ? value : null,
  ...(flags?.length ? { note: flagWords(flags) } : {}),
})

const bandOf = ({ start, mean, min, max }: Bucket, widthMs: number): PlotPoint => ({
  at: start + widthMs / 2,
  value: mean,
  ...(min === null || max === null ? {} : { low: min, high: max }),
})

/** No line is drawn across a gap: a point without a value stands at its beginning. */
function brokenAt(points: readonly PlotPoint[], gaps: Series['gaps']): PlotPoint[] {
  const breaks = gaps.map(({ from }): PlotPoint => ({ at: from + 1, value: null, isBreak: true }))
  return [...points, ...breaks].sort((a, b) => a.at - b.at)
}
