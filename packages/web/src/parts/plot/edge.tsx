/** The last value of each line at the right edge of a chart, with its age: never a bare number. */
import type uPlot from 'uplot'
import { useNow } from '../../app/clock.ts'
import { spanText } from '../words.ts'
import { lastOf, type PlotModel, spread, textOf } from './model.ts'
import classes from './plot.module.css'

export interface EdgeLabel {
  readonly key: string
  /** CSS pixels from the top of the chart. */
  readonly top: number
  readonly index: number
  readonly text: string
  readonly unit: string
  readonly at: number
}

const labelHeight = 32

/** Last values of what is in view; a value that lies before the span is not its last. */
export function edgesOf(u: uPlot, model: PlotModel): EdgeLabel[] {
  const { min, max } = u.scales.x!
  const shown = lastOf(model).filter(({ point }) => point.at >= (min ?? 0) && point.at <= (max ?? 0))
  const paired = model.bars && shown.length === 2 ? shown.slice(0, 1) : shown
  const ratio = devicePixelRatio
  const tops = spread(
    paired.map(({ point }) => u.valToPos(point.value!, 'y', true) / ratio - labelHeight / 2),
    labelHeight,
    0,
    (u.bbox.top + u.bbox.height) / ratio - labelHeight,
  )
  return paired.map(({ line, index, point }, place) => ({
    key: line.label,
    top: tops[place]!,
    index,
    text:
      paired.length < shown.length
        ? shown.map((each) => textOf(model, each.line, each.point.value!)).join('/')
        : textOf(model, line, point.value!),
    unit: model.unit,
    at: point.at,
  }))
}

export function Edge({ labels }: { labels: readonly EdgeLabel[] }) {
  const now = useNow()
  return labels.map(({ key, top, index, text, unit, at }) => (
    <span key={key} className={classes.edge} style={{ top }} data-line={index} aria-hidden="true">
      <strong>
        {text} <small>{unit}</small>
      </strong>
      <span>{spanText(now - at)} ago</span>
    </span>
  ))
}
