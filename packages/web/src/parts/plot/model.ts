/** What a chart shows, before anything is drawn: lines of one unit, limits, the alert's span, gaps with their reason. */
import type { Priority } from '@careloop/contract'

export interface PlotPoint {
  readonly at: number
  /** null = measured without a number, or (`isBreak`) nothing measured: lines are not drawn across it. */
  readonly value: number | null
  /** Stands where a gap begins; no reading. */
  readonly isBreak?: true
  /** What was found odd about it, in words. */
  readonly note?: string
  /** Met the rule's condition by itself. */
  readonly breach?: boolean
  /** Least and greatest of a bucket, for rollups. */
  readonly low?: number
  readonly high?: number
}

export interface PlotLine {
  readonly label: string
  readonly decimals: number
  readonly points: readonly PlotPoint[]
}

export interface PlotLimit {
  readonly label: string
  readonly value: number
  readonly role: 'raise' | 'clear'
}

export interface PlotGap {
  readonly from: number
  readonly to: number
}

export interface PlotModel {
  /** As people read it, `''` for states. All lines share it. */
  readonly unit: string
  readonly lines: readonly PlotLine[]
  readonly limits: readonly PlotLimit[]
  readonly gaps: readonly PlotGap[]
  /** Draws the first two lines as one bar from the second to the first: systolic and diastolic. */
  readonly bars: boolean
  readonly span?: { readonly from: number; readonly to: number; readonly priority: Priority }
  readonly from?: number
  readonly to?: number
}

/** All times of all lines, each once, in order. */
export const timesOf = (model: PlotModel): number[] =>
  [...new Set(model.lines.flatMap((line) => line.points.map((point) => point.at)))].sort((a, b) => a - b)

/** Times at which something was measured. */
export const readTimesOf = (model: PlotModel): number[] =>
  timesOf({
    ...model,
    lines: model.lines.map((line) => ({ ...line, points: line.points.filter((point) => !point.isBreak) })),
  })

/** What every line has at a time: `Systolic 192, Diastolic 124 mmHg`. */
export function valuesAt(model: PlotModel, at: number): string {
  const values = model.lines.flatMap((line) => {
    const value = line.points.find((point) => point.at === at)?.value
    return typeof value === 'number' ? [{ line, text: value.toFixed(line.decimals) }] : []
  })
  if (model.bars && values.length === 2) return `${values[0]!.text}/${values[1]!.text} ${model.unit}`
  if (values.length === 0) return 'no value'
  const texts = values.map(({ line, text }) => (model.lines.length === 1 ? text : `${line.label} ${text}`))
  return `${texts.join(', ')} ${model.unit}`.trim()
}

/** What was found odd about what was measured at a time, each once. */
export const notesAt = (model: PlotModel, at: number): string =>
  [
    ...new Set(
      model.lines.flatMap((line) => line.points.filter((each) => each.at === at).map(({ note }) => note ?? '')),
    ),
  ]
    .filter((note) => note !== '')
    .join(', ')

/** Lowest and highest that must be in view: values and limits, with air around; never a flat line of zero height. */
export function heightOf(model: PlotModel): [number, number] {
  const values = model.lines.flatMap((line) =>
    line.points.flatMap(({ value, low, high }) => [value, low, high].filter((each) => typeof each === 'number')),
  )
  const all = [...values, ...model.limits.map((limit) => limit.value)]
  if (all.length === 0) return [0, 1]
  const low = Math.min(...all)
  const high = Math.max(...all)
  const air = Math.max((high - low) * 0.15, Math.abs(high) * 0.02, 0.5)
  return [low - air, high + air]
}

/** From when to when, with air at both ends so that the first and last reading are not on the edge. */
export function widthOf(model: PlotModel): [number, number] {
  const times = timesOf(model)
  const from = model.from ?? times[0] ?? 0
  const to = model.to ?? times.at(-1) ?? 1
  if (model.from !== undefined && model.to !== undefined) return [from, to]
  const air = Math.max((to - from) * 0.06, 5 * 60_000)
  return [from - air, to + air]
}
