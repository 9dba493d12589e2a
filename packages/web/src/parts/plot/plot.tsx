/** A chart: drawn by uPlot, walked through by keyboard, read out in words, its last values at the right edge with their age. */
import { useComputedColorScheme } from '@mantine/core'
import { type RefObject, useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { coloursNow } from './colours.ts'
import { dataOf, optionsOf, shapeOf } from './draw.ts'
import { Edge, type EdgeLabel, edgesOf } from './edge.tsx'
import { PlotLegend } from './legend.tsx'
import type { PlotModel } from './model.ts'
import classes from './plot.module.css'

interface PlotProps {
  readonly model: PlotModel
  /** What the chart shows, for who does not see it; the numbers stand in the table beside. */
  readonly label: string
  readonly height?: number
  /** Called with what was dragged, ms; the caller asks for that span. Without it the chart zooms in what it has. */
  readonly onZoom?: (from: number, to: number) => void
  /** Double click: back to the whole. */
  readonly onBack?: () => void
}

export function Plot(props: PlotProps) {
  const { model, label, height = 220 } = props
  const holder = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState<number | undefined>(undefined)
  const [edges, setEdges] = useState<readonly EdgeLabel[]>([])
  const chart = useChart(holder, { ...props, height }, setAt, setEdges)
  return (
    <figure className={classes.figure}>
      <div className={classes.frame}>
        <div
          ref={holder}
          className={classes.holder}
          style={{ minHeight: height }}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move through the readings
          tabIndex={0}
          role="img"
          aria-label={`${label}. Arrow keys move through the readings.`}
          onKeyDown={(event) => {
            const isTaken = chart.current !== null && press(chart.current, event.key, props)
            if (isTaken) event.preventDefault()
          }}
        />
        <Edge labels={edges} />
      </div>
      <PlotLegend model={model} at={at} />
    </figure>
  )
}

function useChart(
  holder: RefObject<HTMLDivElement | null>,
  { model, height, onZoom, onBack }: PlotProps & { height: number },
  setAt: (at: number | undefined) => void,
  setEdges: (edges: readonly EdgeLabel[]) => void,
): RefObject<uPlot | null> {
  const chart = useRef<uPlot>(null)
  const scheme = useComputedColorScheme()
  // What is drawn and who is called change more often than a chart should be made anew.
  const now = useRef({ model, onZoom, onBack })
  now.current = { model, onZoom, onBack }
  const shape = shapeOf(model)
  const zooms = onZoom !== undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew when the scheme changes, lines with the shape
  useEffect(() => {
    const element = holder.current!
    const options = optionsOf({
      model: () => now.current.model,
      colours: coloursNow(),
      ...{ width: element.clientWidth, height, gutter: gutterOf(element.clientWidth) },
      onZoom: zooms ? (from, to) => now.current.onZoom?.(from, to) : undefined,
      onBack: zooms ? () => now.current.onBack?.() : undefined,
    })
    const timeOf = (u: uPlot) => (typeof u.cursor.idx === 'number' ? u.data[0][u.cursor.idx] : undefined)
    options.hooks.setCursor = [(u) => setAt(timeOf(u))]
    options.hooks.draw!.push((u) => setEdges(edgesOf(u, now.current.model)))
    const made = new uPlot(options, dataOf(now.current.model), element)
    chart.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      made.destroy()
      chart.current = null
    }
  }, [shape, height, scheme, zooms])
  useEffect(() => chart.current?.setData(dataOf(model)), [model])
  return chart
}

const gutterOf = (width: number): number => (width < 480 ? 74 : 84)

/** @returns whether the key was one of ours */
function press(u: uPlot, key: string, { onZoom, onBack }: PlotProps): boolean {
  const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[key]
  if (step !== undefined) return moveCursor(u, step)
  if (onZoom === undefined) return false
  if (key === 'Escape' || key === '-') onBack?.()
  else if (key === '+') zoomAtCursor(u, onZoom)
  else return false
  return true
}

function moveCursor(u: uPlot, step: number): true {
  const times = u.data[0]
  if (times.length === 0) return true
  const next = typeof u.cursor.idx === 'number' ? u.cursor.idx + step : times.length - 1
  const idx = Math.min(times.length - 1, Math.max(0, next))
  u.setCursor({ left: u.valToPos(times[idx]!, 'x'), top: 0 })
  return true
}

/** Half of what is in view, around the cursor. */
function zoomAtCursor(u: uPlot, onZoom: NonNullable<PlotProps['onZoom']>): void {
  const { min, max } = u.scales.x!
  if (typeof min !== 'number' || typeof max !== 'number') return
  const middle = typeof u.cursor.idx === 'number' ? u.data[0][u.cursor.idx]! : max
  const from = Math.max(min, middle - (max - min) / 4)
  onZoom(Math.round(from), Math.round(Math.min(max, from + (max - min) / 2)))
}
