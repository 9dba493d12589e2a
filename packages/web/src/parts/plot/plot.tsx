/** A chart: drawn by uPlot, walked through by keyboard, read out in words, its last value beside it with its age. */
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useNow } from '../../app/clock.ts'
import { agoText, momentText, viewerZone } from '../words.ts'
import { coloursNow, dataOf, optionsOf } from './draw.ts'
import { type PlotModel, readTimesOf, valuesAt } from './model.ts'
import classes from './plot.module.css'

/** @param label what the chart shows, for who does not see it; the numbers stand in the table beside */
export function Plot({ model, label, height = 220 }: { model: PlotModel; label: string; height?: number }) {
  const holder = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(null)
  const scheme = useComputedColorScheme()
  const [at, setAt] = useState<number | undefined>(undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew when the scheme changes
  useEffect(() => {
    const element = holder.current!
    const options = optionsOf(model, coloursNow(), { width: element.clientWidth, height })
    options.hooks.setCursor = [
      (u) => setAt(typeof u.cursor.idx === 'number' ? (u.data[0][u.cursor.idx] as number) : undefined),
    ]
    const made = new uPlot(options, dataOf(model), element)
    chart.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      made.destroy()
      chart.current = null
    }
  }, [model, height, scheme])
  return (
    <figure className={classes.figure}>
      <div
        ref={holder}
        className={classes.holder}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move through the readings
        tabIndex={0}
        role="img"
        aria-label={`${label}. Arrow keys move through the readings.`}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
          if (step === undefined || chart.current === null) return
          event.preventDefault()
          moveCursor(chart.current, step)
        }}
      />
      <Caption model={model} at={at} />
    </figure>
  )
}

function moveCursor(u: uPlot, step: number): void {
  const times = u.data[0]
  const next = typeof u.cursor.idx === 'number' ? u.cursor.idx + step : times.length - 1
  const idx = Math.min(times.length - 1, Math.max(0, next))
  u.setCursor({ left: u.valToPos(times[idx]!, 'x'), top: 0 })
}

function Caption({ model, at }: { model: PlotModel; at: number | undefined }) {
  const now = useNow()
  const last = readTimesOf(model).at(-1)
  return (
    <figcaption className={classes.caption}>
      <span className={classes.read} aria-live="polite">
        {at !== undefined ? (
          <>
            <strong>{valuesAt(model, at)}</strong> at {momentText(at, now, true)}
          </>
        ) : last === undefined ? (
          'No readings in this span'
        ) : (
          <>
            Last <strong>{valuesAt(model, last)}</strong>, {agoText(last, now)}
          </>
        )}
      </span>
      <span>
        {model.lines.length > 1 && !model.bars ? (
          model.lines.map((line, index) => (
            <span key={line.label} className={classes.key} data-line={index}>
              {line.label}
            </span>
          ))
        ) : model.bars ? (
          <span className={classes.key} data-line="0">
            Bars from diastolic to systolic
          </span>
        ) : null}
        Times in {viewerZone}
      </span>
    </figcaption>
  )
}
