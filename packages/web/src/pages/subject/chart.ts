/** A series answer as a chart: readings as points, buckets as means within their band, gaps, limits, alerts, open doors. */
import { type SubjectAlerts, type SubjectRules, signal } from '@careloop/contract'
import type { Series } from '../../api/endpoints.ts'
import type { PlotLine, PlotModel, PlotPoint, PlotSpan, PlotState } from '../../parts/plot/model.ts'
import { flagWords } from '../../parts/words.ts'
import { bandOf, limitsOf } from './limits.ts'
import { labelOf } from './shown-signals.ts'

export type Asked = Series & { readonly from: number; readonly to: number }
type Reading = Series['series'][number]['readings'][number]
type Bucket = Series['series'][number]['buckets'][number]
type Alert = SubjectAlerts['items'][number]

interface Around {
  readonly rules: SubjectRules['rules']
  readonly alerts: readonly Alert[]
  /** Readings of states (a door) that stand under the plot. */
  readonly states: readonly Asked[]
}

const nothing: Around = { rules: [], alerts: [], states: [] }

/**
 * One line a signal and device: two probes of one signal never become one line. Blood pressure of one device is bars.
 * @param answers one for each of `codes`, asked at about the same time
 */
export function chartOf(
  answers: readonly Asked[],
  codes: readonly string[],
  unit: string,
  { rules, alerts, states } = nothing,
): PlotModel {
  const lines = codes.flatMap((code, index) => linesOf(answers[index]!, code))
  const from = Math.min(...answers.map((answer) => answer.from))
  const to = Math.max(...answers.map((answer) => answer.to))
  const meanings = signal(codes[0]!)?.meanings
  const band = bandOf(rules, codes[0]!)
  return {
    ...{ unit, lines, from, to },
    limits: limitsOf(rules, codes),
    gaps: gapsOf(answers, codes, from, to),
    bars: codes.length === 2 && lines.length === 2,
    spans: spansOfAlerts(alerts, codes, from, to),
    states: states.flatMap((answer) => statesOf(answer, to)),
    ...(band === undefined ? {} : { band }),
    ...(meanings === undefined ? {} : { meanings, isStepped: true }),
  }
}

function linesOf(answer: Asked, code: string): PlotLine[] {
  const own = answer.series.filter((each) => each.signal === code)
  const byDevice = [...Map.groupBy(own, (each) => each.device)]
  return byDevice.map(([device, parts], index) => ({
    label: byDevice.length === 1 ? labelOf(code) : `${labelOf(code)}, device ${index + 1}`,
    decimals: signal(code)?.decimals ?? 0,
    points: brokenAt(
      parts.flatMap((part) => [
        ...part.readings.map(pointOf),
        ...part.buckets.map((each) => bucketOf(each, answer.widthMs ?? 0)),
      ]),
      answer.gaps.filter((gap) => (gap.device ?? device) === device && (gap.signal ?? code) === code),
    ),
  }))
}

const pointOf = ({ measuredAt, value, flags }: Reading): PlotPoint => ({
  at: measuredAt,
  value: typeof value === 'number' ? value : null,
  ...(flags?.length ? { note: flagWords(flags) } : {}),
})

const bucketOf = ({ start, mean, min, max }: Bucket, widthMs: number): PlotPoint => ({
  at: start + widthMs / 2,
  value: mean,
  ...(min === null || max === null ? {} : { low: min, high: max }),
})

/** No line is drawn across a gap: a point without a value stands at its beginning. */
function brokenAt(points: readonly PlotPoint[], gaps: Series['gaps']): PlotPoint[] {
  const breaks = gaps.map(({ from }): PlotPoint => ({ at: from + 1, value: null, isBreak: true }))
  return [...points, ...breaks].sort((a, b) => a.at - b.at)
}

/** Each once, within what is shown: two signals of one device have the same gap. */
function gapsOf(answers: readonly Asked[], codes: readonly string[], from: number, to: number): PlotModel['gaps'] {
  const all = answers.flatMap((answer) => answer.gaps).filter((gap) => codes.includes(gap.signal ?? codes[0]!))
  const cut = all.map((gap) => ({
    from: Math.max(from, gap.from),
    to: Math.min(to, gap.to ?? to),
    reason: gap.reason,
  }))
  return [...new Map(cut.map((gap) => [`${gap.from}/${gap.to}/${gap.reason}`, gap])).values()].filter(
    (gap) => gap.to > gap.from,
  )
}

function spansOfAlerts(alerts: readonly Alert[], codes: readonly string[], from: number, to: number): PlotSpan[] {
  return alerts
    .filter(({ signals }) => signals.some((each) => codes.includes(each)))
    .flatMap(({ spans, priority, nature, title }) =>
      spans.map((span) => ({
        ...{ from: span.from, to: span.to ?? to, priority, label: title },
        ...(nature === 'technical' ? { isTechnical: true } : {}),
      })),
    )
    .filter((span) => span.to >= from && span.from <= to)
}

/** The stretches in which a state was 1: a door was open. */
export function statesOf(answer: Asked, to: number): PlotState[] {
  return answer.series.flatMap(({ signal: code, readings }) => {
    const label = `${labelOf(code)} ${signal(code)?.meanings?.[1] ?? 'on'}`
    return readings.flatMap(({ value, measuredAt }, index) =>
      value === 1 ? [{ from: measuredAt, to: readings[index + 1]?.measuredAt ?? to, label }] : [],
    )
  })
}
