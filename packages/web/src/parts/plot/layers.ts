/** What uPlot does not draw by itself: allowed band, alert spans, gaps, states, min-max bands, bars, breaches, limits. */
import type uPlot from 'uplot'
import type { PlotColours } from './colours.ts'
import { type Mark, placeWords } from './limit-labels.ts'
import { type GapReason, gapWords, type PlotGap, type PlotLimit, type PlotModel, type PlotSpan } from './model.ts'

const px = () => devicePixelRatio

/** Behind grid and lines. */
export function drawBehind(u: uPlot, model: PlotModel, colours: PlotColours): void {
  const { ctx } = u
  ctx.save()
  clipToPlot(u)
  if (model.band !== undefined) drawAllowed(u, model.band, colours)
  // The most urgent is drawn last: nothing covers it.
  for (const span of (model.spans ?? []).toSorted(byUrgency)) drawSpan(u, span, colours)
  for (const gap of model.gaps) drawGap(u, gap, colours)
  for (const state of model.states ?? []) {
    const [x, width] = boxOf(u, state)
    ctx.fillStyle = colours.axis
    ctx.fillRect(x, u.bbox.top + u.bbox.height - 6 * px(), Math.max(width, 2 * px()), 6 * px())
  }
  ctx.restore()
}

const urgency = { low: 1, medium: 2, high: 3 } as const
const urgencyOf = ({ isTechnical, priority }: PlotSpan): number => (isTechnical ? 0 : urgency[priority])
const byUrgency = (a: PlotSpan, b: PlotSpan): number => urgencyOf(a) - urgencyOf(b)

/** Over the lines. */
export function drawOver(u: uPlot, model: PlotModel, colours: PlotColours): void {
  const { ctx } = u
  ctx.save()
  clipToPlot(u)
  if (model.bars) drawBars(u, model, colours.lines[0]!)
  drawBreaches(u, model, colours)
  for (const limit of model.limits) drawLimit(u, limit, colours)
  drawLimitWords(u, model, colours)
  for (const { reason, ...gap } of model.gaps)
    if (reason !== undefined) labelGap(u, ...boxOf(u, gap), gapWords[reason], colours)
  ctx.restore()
}

/** Min-max band of rollups behind the line of means. */
export function drawRanges(u: uPlot, model: PlotModel, colourOf: (line: number) => string): void {
  if (model.bars) return
  const { ctx } = u
  ctx.save()
  clipToPlot(u)
  ctx.globalAlpha = 0.22
  for (const [index, line] of model.lines.entries()) {
    ctx.fillStyle = colourOf(index)
    for (const run of runsOf(line.points)) {
      ctx.beginPath()
      for (const { at, high } of run) ctx.lineTo(u.valToPos(at, 'x', true), u.valToPos(high, 'y', true))
      for (const { at, low } of run.toReversed()) ctx.lineTo(u.valToPos(at, 'x', true), u.valToPos(low, 'y', true))
      ctx.fill()
    }
  }
  ctx.restore()
}

interface Ranged {
  readonly at: number
  readonly low: number
  readonly high: number
}

/** Stretches of buckets without a gap between: a band must not bridge a gap any more than a line. */
function runsOf(points: PlotModel['lines'][number]['points']): Ranged[][] {
  const runs: Ranged[][] = [[]]
  for (const { at, value, low, high } of points) {
    if (value === null) runs.push([])
    else if (low !== undefined && high !== undefined) runs.at(-1)!.push({ at, low, high })
  }
  return runs.filter((run) => run.length > 1)
}

function clipToPlot({ ctx, bbox }: uPlot): void {
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
}

function boxOf(u: uPlot, { from, to }: { from: number; to: number }): [x: number, width: number] {
  const left = Math.max(u.bbox.left, u.valToPos(from, 'x', true))
  const right = Math.min(u.bbox.left + u.bbox.width, u.valToPos(to, 'x', true))
  return [left, Math.max(0, right - left)]
}

function drawAllowed(u: uPlot, { low, high }: NonNullable<PlotModel['band']>, colours: PlotColours): void {
  const { ctx, bbox } = u
  const top = high === null ? bbox.top : u.valToPos(high, 'y', true)
  const bottom = low === null ? bbox.top + bbox.height : u.valToPos(low, 'y', true)
  ctx.fillStyle = colours.allowed
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top)
}

/** Shaded in the priority's colour; its shape at the beginning and its strip on top tell the priority without colour. */
function drawSpan(u: uPlot, span: PlotSpan, colours: PlotColours): void {
  const { ctx, bbox } = u
  const [x, width] = boxOf(u, span)
  if (width <= 0 && (span.to < u.scales.x!.min! || span.from > u.scales.x!.max!)) return
  const kind = span.isTechnical ? 'technical' : span.priority
  ctx.fillStyle = colours.soft[kind]
  ctx.fillRect(x, bbox.top, Math.max(width, px()), bbox.height)
  ctx.strokeStyle = colours.strong[kind]
  ctx.fillStyle = colours.strong[kind]
  ctx.lineWidth = (kind === 'high' ? 6 : 4) * px()
  ctx.setLineDash(stripes[kind].map((each) => each * px()))
  ctx.beginPath()
  ctx.moveTo(x, bbox.top + 2 * px())
  ctx.lineTo(x + width, bbox.top + 2 * px())
  ctx.stroke()
  ctx.setLineDash([])
  if (span.from >= u.scales.x!.min!) drawShape(ctx, x, bbox.top, bbox.height, kind)
}

const stripes = { high: [], medium: [12, 4], low: [4, 4], technical: [2, 6] } as const

function drawShape(
  ctx: CanvasRenderingContext2D,
  x: number,
  top: number,
  height: number,
  kind: keyof PlotColours['strong'],
): void {
  const size = 11 * px()
  ctx.fillRect(x, top, 2 * px(), height)
  if (kind === 'low') ctx.fillRect(x, top, size, size / 3)
  if (kind === 'technical') ctx.fillRect(x, top, size * 0.8, size * 0.8)
  if (kind === 'low' || kind === 'technical') return
  ctx.beginPath()
  ctx.moveTo(x, top)
  ctx.lineTo(x, top + size)
  ctx.lineTo(x + (kind === 'high' ? size : size / 2), top + size / (kind === 'high' ? 2 : 1))
  ctx.fill()
}

/** Hatched by its reason: nothing was measured, which is not the same as nothing happened. */
function drawGap(u: uPlot, gap: PlotGap, colours: PlotColours): void {
  const { ctx, bbox } = u
  const [x, width] = boxOf(u, gap)
  if (width <= 0) return
  ctx.save()
  ctx.beginPath()
  ctx.rect(x, bbox.top, width, bbox.height)
  ctx.clip()
  ctx.globalAlpha = 0.28
  ctx.strokeStyle = colours.axis
  ctx.lineWidth = px()
  for (const way of waysOf(gap.reason)) {
    for (let at = x - bbox.height; at < x + width + bbox.height; at += 9 * px()) {
      ctx.beginPath()
      ctx.moveTo(at, bbox.top + bbox.height)
      ctx.lineTo(at + way * bbox.height, bbox.top)
      ctx.stroke()
    }
  }
  ctx.restore()
}

/** Leaning right: offline. Leaning left: nothing came. Both: Careloop itself was deaf. */
const waysOf = (reason: GapReason | undefined): readonly number[] =>
  reason === 'no-data' ? [-1] : reason === 'deaf' ? [1, -1] : [1]

function labelGap({ ctx, bbox }: uPlot, x: number, width: number, words: string, colours: PlotColours): void {
  ctx.font = `${11 * px()}px system-ui, sans-serif`
  const needed = ctx.measureText(words).width + 8 * px()
  if (needed > width) return
  const y = bbox.top + bbox.height - 20 * px()
  ctx.fillStyle = colours.ground
  ctx.fillRect(x + (width - needed) / 2, y - 8 * px(), needed, 16 * px())
  ctx.fillStyle = colours.axis
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  ctx.fillText(words, x + width / 2, y)
}

function drawBreaches(u: uPlot, model: PlotModel, colours: PlotColours): void {
  const { ctx } = u
  ctx.strokeStyle = colours.breach
  ctx.lineWidth = 1.5 * px()
  for (const { points } of model.lines)
    for (const { at, value, breach } of points) {
      if (!breach || typeof value !== 'number') continue
      // A ring, so that a breaching reading is told from the others without colour.
      ctx.beginPath()
      ctx.arc(u.valToPos(at, 'x', true), u.valToPos(value, 'y', true), 6 * px(), 0, 2 * Math.PI)
      ctx.stroke()
    }
}

function drawBars(u: uPlot, model: PlotModel, colour: string): void {
  const { ctx } = u
  const [upper, lower] = model.lines
  const lows = new Map(lower!.points.map(({ at, value }) => [at, value]))
  ctx.strokeStyle = colour
  ctx.lineWidth = 4 * px()
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

function drawLimit(u: uPlot, limit: PlotLimit, colours: PlotColours): void {
  const { ctx, bbox } = u
  const y = Math.round(u.valToPos(limit.value, 'y', true)) + 0.5
  ctx.strokeStyle = colours.axis
  ctx.lineWidth = px()
  ctx.setLineDash(limit.role === 'raise' ? [] : [4 * px(), 4 * px()])
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.setLineDash([])
}

function drawLimitWords(u: uPlot, model: PlotModel, colours: PlotColours): void {
  const { ctx, bbox } = u
  ctx.font = `${11 * px()}px system-ui, sans-serif`
  const air = 4 * px()
  const words = model.limits.map(({ label, value }) => ({
    ...{ width: ctx.measureText(label).width + 2 * air, y: u.valToPos(value, 'y', true) - px() },
  }))
  const boxes = placeWords(words, bbox, marksOf(u, model), 15 * px())
  ctx.textAlign = 'left'
  ctx.textBaseline = 'middle'
  for (const [index, { left, top, width, height }] of boxes.entries()) {
    ctx.fillStyle = colours.ground
    // A bar beneath stays seen.
    ctx.globalAlpha = 0.72
    ctx.fillRect(left, top, width, height)
    ctx.globalAlpha = 1
    ctx.fillStyle = colours.axis
    ctx.fillText(model.limits[index]!.label, left + air, top + height / 2)
  }
}

/** Readings in view as they stand on the canvas. */
function marksOf(u: uPlot, { lines, bars }: PlotModel): Mark[] {
  const placed = (line: PlotModel['lines'][number]) =>
    line.points.flatMap(({ at, value }) =>
      typeof value === 'number' ? [{ at, x: u.valToPos(at, 'x', true), y: u.valToPos(value, 'y', true) }] : [],
    )
  if (!bars) return lines.flatMap(placed).map(({ x, y }) => ({ x, upper: y, lower: y }))
  const lows = new Map(placed(lines[1]!).map(({ at, y }) => [at, y]))
  return placed(lines[0]!).map(({ at, x, y }) => ({ x, upper: y, lower: lows.get(at) ?? y }))
}
