/** A model as uPlot's options and data. Options read the model when they draw, so that new readings need no new chart. */
import uPlot from 'uplot'
import type { PlotColours } from './colours.ts'
import { drawBehind, drawOver, drawRanges } from './layers.ts'
import { heightOf, type PlotModel, timesOf, widthOf } from './model.ts'

export const dataOf = (model: PlotModel): uPlot.AlignedData => {
  const times = timesOf(model)
  const columns = model.lines.map((line) => {
    const values = new Map(line.points.map(({ at, value }) => [at, value]))
    // undefined: another line has this time; null: a gap of this line.
    return times.map((at) => values.get(at))
  })
  return [times, ...columns] as uPlot.AlignedData
}

export type Options = Omit<uPlot.Options, 'hooks'> & { hooks: uPlot.Hooks.Arrays }

export interface OptionsAsked {
  /** Read at each drawing. Lines, unit and kind of drawing must stay the same (`shapeOf`). */
  readonly model: () => PlotModel
  readonly colours: PlotColours
  readonly width: number
  readonly height: number
  /** Room at the right edge for the last values, CSS pixels. */
  readonly gutter: number
  /** Zooms by asking for another span; without it uPlot zooms by itself. */
  readonly onZoom: ((from: number, to: number) => void) | undefined
  readonly onBack: (() => void) | undefined
}

/** What a chart must be made anew for; everything else is new data in the same chart. */
export const shapeOf = (model: PlotModel): string =>
  JSON.stringify([
    model.unit,
    model.bars,
    model.isStepped,
    model.lines.map(({ label }) => label),
    Object.keys(model.meanings ?? {}),
  ])

export function optionsOf({ model, colours, gutter, onZoom, onBack, ...size }: OptionsAsked): Options {
  const first = model()
  const line = (index: number) => colours.lines[index % colours.lines.length]!
  const axis = { stroke: colours.axis, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false }, font }
  return {
    ...size,
    ms: 1,
    padding: [8, gutter, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 9 },
      drag: { x: true, y: false, setScale: onZoom === undefined, dist: 5 },
      ...(onBack === undefined ? {} : { bind: { dblclick: () => backOn(onBack) } }),
    },
    scales: {
      x: { time: true, range: (_u, low, high) => rangeOf(model(), low, high, onZoom !== undefined) },
      y: { range: () => heightOf(model()) },
    },
    axes: [
      { ...axis, values: (u, splits) => tickTexts(splits, u.scales.x!.max! - u.scales.x!.min!), space: 64 },
      { ...axis, ...valueAxis(first) },
    ],
    series: [{}, ...first.lines.map((each, index) => seriesOf(first, each.label, line(index)))],
    hooks: {
      drawClear: [(u) => drawBehind(u, model(), colours)],
      drawAxes: [(u) => drawRanges(u, model(), line)],
      draw: [(u) => drawOver(u, model(), colours)],
      setSelect: [(u) => tellZoom(u, onZoom)],
    },
  }
}

/** In place of uPlot's own answer to a double click, which would show the whole of what is there. */
const backOn = (onBack: () => void) => () => {
  onBack()
  return null
}

const font = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

function valueAxis({ unit, meanings }: PlotModel): uPlot.Axis {
  if (meanings === undefined) return { label: unit, labelSize: 20, size: 44, labelFont: font }
  const known = Object.keys(meanings).map(Number)
  return { splits: known, values: known.map((each) => meanings[each]!), size: 72 }
}

function seriesOf({ bars, isStepped }: PlotModel, label: string, stroke: string): uPlot.Series {
  const paths = bars ? () => null : isStepped ? uPlot.paths.stepped!({ align: 1 }) : undefined
  return {
    label,
    stroke,
    width: 1.5,
    ...(paths === undefined ? {} : { paths }),
    points: { show: true, size: bars ? 5 : 4, fill: stroke },
  }
}

function tellZoom(u: uPlot, onZoom: OptionsAsked['onZoom']): void {
  const { left, width } = u.select
  if (onZoom === undefined || width < 5) return
  const [from, to] = [u.posToVal(left, 'x'), u.posToVal(left + width, 'x')]
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  onZoom(Math.round(from), Math.round(to))
}

/** Zoomed by uPlot itself: what was dragged; else the whole. */
function rangeOf(model: PlotModel, low: number | null, high: number | null, isAlwaysWhole: boolean): [number, number] {
  const times = timesOf(model)
  // Of a single reading uPlot makes a range of its own, with the reading on its edge.
  const isWhole =
    isAlwaysWhole || low === null || high === null || times.length < 2 || (low === times[0] && high === times.at(-1))
  return isWhole ? widthOf(model) : [low, high]
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const fineClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

function tickTexts(splits: readonly number[], spanMs: number): string[] {
  const time = spanMs < 6 * 60_000 ? fineClock : clock
  let before = ''
  return splits.map((at) => {
    const today = day.format(at)
    const text = today === before ? time.format(at) : `${time.format(at)}\n${today}`
    before = today
    return spanMs > 4 * 86_400_000 ? today : text
  })
}
