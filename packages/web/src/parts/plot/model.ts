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

/** Why nothing is there: nothing came, the device was not connected, or Careloop itself did not hear. */
export type GapReason = 'no-data' | 'offline' | 'deaf'

export interface PlotGap {
  readonly from: number
  readonly to: number
  /** Absent = not known. */
  readonly reason?: GapReason
}

/** The time in which an alert's condition stood. */
export interface PlotSpan {
  readonly from: number
  readonly to: number
  readonly priority: Priority
  /** Technical alerts are blue-grey, whatever their priority. */
  readonly isTechnical?: boolean
  /** Says what it is in the legend: "Refrigerator too warm". */
  readonly label?: string
}

/** A state that lasted (a door open), drawn as a bar under the plot. */
export interface PlotState {
  readonly from: number
  readonly to: number
  /** "Door open" */
  readonly label: string
}

export interface PlotModel {
  /** As people read it, `''` for states. All lines share it. */
  readonly unit: string
  readonly lines: readonly PlotLine[]
  readonly limits: readonly PlotLimit[]
  readonly gaps: readonly PlotGap[]
  /** Draws the first two lines as one bar from the second to the first: systolic and diastolic. */
  readonly bars: boolean
  /** States: the line keeps its height until the next reading. */
  readonly isStepped?: boolean
  readonly spans?: readonly PlotSpan[]
  /** What is allowed; null = open on that side. */
  readonly band?: { readonly low: number | null; readonly high: number | null }
  readonly states?: readonly PlotState[]
  /** What the numbers of a state mean. */
  readonly meanings?: Readonly<Record<number, string>>
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

/** A number of a line as people read it: with its decimals, or what it means. */
export const textOf = (model: PlotModel, line: PlotLine, value: number): string =>
  model.meanings?.[value] ?? value.toFixed(line.decimals)

/** What every line has at a time: `Systolic 192, Diastolic 124 mmHg`; of a bucket the mean with its least and greatest. */
export function valuesAt(model: PlotModel, at: number): string {
  const values = model.lines.flatMap((line) => {
    const point = line.points.find((each) => each.at === at && !each.isBreak)
    if (typeof point?.value !== 'number') return []
    const { value, low, high } = point
    const range =
      low === undefined || high === undefined || low === high || model.bars
        ? ''
        : ` (${textOf(model, line, low)} to ${textOf(model, line, high)})`
    return [{ line, text: `${textOf(model, line, value)}${range}` }]
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

/** The newest reading of each line with its value and time: what stands at the right edge. */
export function lastOf(
  model: PlotModel,
): { readonly line: PlotLine; readonly index: number; readonly point: PlotPoint }[] {
  return model.lines.flatMap((line, index) => {
    const point = line.points.findLast(({ isBreak, value }) => !isBreak && value !== null)
    return point === undefined ? [] : [{ line, index, point }]
  })
}

/** Reasons of gaps that are in view, each once. */
export const gapReasonsOf = (model: PlotModel): GapReason[] => [
  ...new Set(model.gaps.flatMap(({ reason }) => (reason === undefined ? [] : [reason]))),
]

export const gapWords: Readonly<Record<GapReason, string>> = {
  'no-data': 'nothing came',
  offline: 'device offline',
  deaf: 'Careloop did not hear',
}

/** Where labels of `height` stand so that none covers another, each as near to its own place as may be. Top-down order is kept. */
export function spread(wanted: readonly number[], height: number, low: number, high: number): number[] {
  const order = wanted.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at)
  let floor = low
  for (const each of order) {
    each.at = Math.max(each.at, floor)
    floor = each.at + height
  }
  let roof = high
  for (const each of order.toReversed()) {
    each.at = Math.min(each.at, roof)
    roof = each.at - height
  }
  return order.sort((a, b) => a.index - b.index).map(({ at }) => at)
}

/** Lowest and highest that must be in view: values and limits, with air around; never a flat line of zero height. */
export function heightOf(model: PlotModel): [number, number] {
  const values = model.lines.flatMap((line) =>
    line.points.flatMap(({ value, low, high }) => [value, low, high].filter((each) => typeof each === 'number')),
  )
  const band = [model.band?.low, model.band?.high].filter((each) => typeof each === 'number')
  const all = [...values, ...band, ...model.limits.map((limit) => limit.value)]
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
  // A little room on the right, so that a reading of just now is not cut in half.
  if (model.from !== undefined && model.to !== undefined) return [from, to + (to - from) * 0.01]
  const air = Math.max((to - from) * 0.06, 5 * 60_000)
  return [from - air, to + air]
}
