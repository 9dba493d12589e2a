/** A model as uPlot's options and data, with what uPlot does not draw by itself: limits, spans, gaps, bars, bands. */
import type { Priority } from '@careloop/contract'
import type uPlot from 'uplot'
import { heightOf, type PlotLimit, type PlotModel, timesOf, widthOf } from './model.ts'

/** The theme's colours as they are now; canvas knows no CSS variables. */
export interface PlotColours {
  readonly lines: readonly string[]
  readonly axis: string
  readonly grid: string
  readonly breach: string
  readonly soft: Readonly<Record<Priority, string>>
  readonly strong: Readonly<Record<Priority, string>>
}

export function coloursNow(): PlotColours {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    lines: [of('--plot'), of('--plot-2'), of('--plot-3')],
    axis: of('--plot-axis'),
    grid: of('--plot-grid'),
    breach: of('--mantine-color-text'),
    soft: { high: of('--high-soft'), medium: of('--medium-soft'), low: of('--low-soft') },
    strong: { high: of('--high'), medium: of('--medium-edge'), low: of('--low-edge') },
  }
}

export const dataOf = (model: PlotModel): uPlot.AlignedData => {
  const times = timesOf(model)
  const columns = model.lines.map((line) => {
    const values = new Map(line.points.map(({ at, value }) => [at, value]))
    // undefined: another line has this time; null: a gap of this line.
    return times.map((at) => values.get(at))
  })
  return [times, ...columns] as uPlot.AlignedData
}

export function optionsOf(model: PlotModel, colours: PlotColours, size: { width: number; height: number }) {
  const [from, to] = widthOf(model)
  const line = (index: number) => colours.lines[index % colours.lines.length]!
  const axis = { stroke: colours.axis, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } }
  const options: Omit<uPlot.Options, 'hooks'> & { hooks: uPlot.Hooks.Arrays } = {
    ...size,
    ms: 1,
    legend: { show: false },
    cursor: { y: false, points: { size: 9 }, drag: { x: true, y: false } },
    scales: { x: { time: true, range: (_u, low, high) => rangeOf(model, low, high) }, y: { range: heightOf(model) } },
    axes: [
      { ...axis, values: (_u, splits) => tickTexts(splits, to - from), space: 64 },
      { ...axis, label: model.unit, labelSize: 20, size: 44, labelFont: font, font },
    ],
    series: [
      {},
      ...model.lines.map((each, index) => ({
        label: each.label,
        stroke: line(index),
        width: 1.5,
        ...(model.bars ? { paths: () => null } : {}),
        points: { show: true, size: model.bars ? 5 : 6, fill: line(index) },
      })),
    ],
    hooks: {
      drawClear: [(u) => drawSpans(u, model, colours)],
      drawAxes: [(u) => drawBands(u, model, line)],
      draw: [(u) => drawOver(u, model, colours, line)],
    },
  }
  options.axes![0]!.font = font
  return options
}

const font = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

/** Zoomed by dragging: what was dragged; else the whole. */
function rangeOf(model: PlotModel, low: number | null, high: number | null): [number, number] {
  const times = timesOf(model)
  // Of a single reading uPlot makes a range of its own, with the reading on its edge.
  const isWhole = low === null || high === null || times.length < 2 || (low === times[0] && high === times.at(-1))
  return isWhole ? widthOf(model) : [low, high]
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

function tickTexts(splits: readonly number[], spanMs: number): string[] {
  let before = ''
  return splits.map((at) => {
    const today = day.format(at)
    const text = today === before ? clock.format(at) : `${clock.format(at)}\n${today}`
    before = today
    return spanMs > 4 * 86_400_000 ? today : text
  })
}

function drawSpans(u: uPlot, model: PlotModel, colours: PlotColours): void {
  const { ctx, bbox } = u
  ctx.save()
  if (model.span !== undefined) {
    const [x, width] = boxOf(u, model.span)
    ctx.fillStyle = colours.soft[model.span.priority]
    ctx.fillRect(x, bbox.top, width, bbox.height)
    markSpan(u, x, model.span.priority, colours)
  }
  for (const gap of model.gaps) hatch(u, boxOf(u, gap), colours.grid)
  ctx.restore()
}

/** The span's beginning as a line with the priority's own shape on top, so that its colour is not alone. */
function markSpan(u: uPlot, x: number, priority: Priority, colours: PlotColours): void {
  const { ctx, bbox } = u
  const size = 10 * devicePixelRatio
  ctx.fillStyle = colours.strong[priority]
  ctx.fillRect(x, bbox.top, 2 * devicePixelRatio, bbox.height)
  if (priority === 'low') {
    ctx.fillRect(x, bbox.top, size, size / 3)
    return
  }
  ctx.beginPath()
  ctx.moveTo(x, bbox.top)
  ctx.lineTo(x, bbox.top + size)
  ctx.lineTo(x + (priority === 'high' ? size : size / 2), bbox.top + size / (priority === 'high' ? 2 : 1))
  ctx.fill()
}

function boxOf(u: uPlot, { from, to }: { from: number; to: number }): [x: number, width: number] {
  const left = Math.max(u.bbox.left, u.valToPos(from, 'x', true))
  const right = Math.min(u.bbox.left + u.bbox.width, u.valToPos(to, 'x', true))
  return [left, Math.max(0, right - left)]
}

/** A gap whose reason is known is hatched: nothing was measured, which is not the same as nothing happened. */
function hatch(u: uPlot, [x, width]: [number, number], colour: string): void {
  const { ctx, bbox } = u
  ctx.save()
  ctx.beginPath()
  ctx.rect(x, bbox.top, width, bbox.height)
  ctx.clip()
  ctx.strokeStyle = colour
  ctx.lineWidth = 2
  for (let at = x - bbox.height; at < x + width; at += 10) {
    ctx.beginPath()
    ctx.moveTo(at, bbox.top + bbox.height)
    ctx.lineTo(at + bbox.height, bbox.top)
    ctx.stroke()
  }
  ctx.restore()
}

/** Min-max band of rollups behind the line of means. */
function drawBands(u: uPlot, model: PlotModel, colourOf: (line: number) => string): void {
  const { ctx } = u
  ctx.save()
  ctx.globalAlpha = 0.22
  for (const [index, line] of model.lines.entries()) {
    const banded = line.points.filter((point) => point.low !== undefined && point.high !== undefined)
    if (banded.length === 0) continue
    ctx.beginPath()
    for (const { at, high } of banded) ctx.lineTo(u.valToPos(at, 'x', true), u.valToPos(high!, 'y', true))
    for (const { at, low } of banded.toReversed()) ctx.lineTo(u.valToPos(at, 'x', true), u.valToPos(low!, 'y', true))
    ctx.fillStyle = colourOf(index)
    ctx.fill()
  }
  ctx.restore()
}

function drawOver(u: uPlot, model: PlotModel, colours: PlotColours, colourOf: (line: number) => string): void {
  const { ctx, bbox } = u
  const scale = devicePixelRatio
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  if (model.bars) drawBars(u, model, colourOf(0), scale)
  for (const line of model.lines) {
    for (const { at, value, breach } of line.points) {
      if (!breach || typeof value !== 'number') continue
      // A ring, so that a breaching reading is told from the others without colour.
      ctx.beginPath()
      ctx.arc(u.valToPos(at, 'x', true), u.valToPos(value, 'y', true), 6 * scale, 0, 2 * Math.PI)
      ctx.strokeStyle = colours.breach
      ctx.lineWidth = 1.5 * scale
      ctx.stroke()
    }
  }
  for (const limit of model.limits) drawLimit(u, limit, colours, scale)
  ctx.restore()
}

function drawBars(u: uPlot, model: PlotModel, colour: string, scale: number): void {
  const { ctx } = u
  const [upper, lower] = model.lines
  const lows = new Map(lower!.points.map(({ at, value }) => [at, value]))
  ctx.strokeStyle = colour
  ctx.lineWidth = 4 * scale
  ctx.lineCap = 'round'
  for (const { at, value } of upper!.points) {
    const low = lows.get(at)
    if (typeof value !== 'number' || typeof low !== 'number') continue
    const x = u.valToPos(at, 'x', true)
    ctx.beginPath()
    ctx.moveTo(x, u.valToPos(value, 'y', true))
    ctx.lineTo(x, u.valToPos(low, 'y', true))
    ctx.stroke()
  }
}

function drawLimit(u: uPlot, limit: PlotLimit, colours: PlotColours, scale: number): void {
  const { ctx, bbox } = u
  const y = Math.round(u.valToPos(limit.value, 'y', true)) + 0.5
  ctx.strokeStyle = colours.axis
  ctx.lineWidth = scale
  ctx.setLineDash(limit.role === 'raise' ? [] : [4 * scale, 4 * scale])
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.setLineDash([])
  ctx.fillStyle = colours.axis
  ctx.font = `${11 * scale}px system-ui, sans-serif`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'bottom'
  ctx.fillText(limit.label, bbox.left + 4 * scale, y - 2 * scale)
}
