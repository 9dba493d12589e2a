/** The last hours in small: mean in its min-max band, the allowed band behind, gaps hatched. The numbers stand beside it. */
import { useId } from 'react'
import classes from './sparkline.module.css'
import { bandPath, type Frame, holesOf, meanPath, runsOf, type TraceStep, traceRange, xOf, yOf } from './trace.ts'

interface SparklineProps {
  readonly steps: readonly TraceStep[]
  readonly band: { readonly low: number | null; readonly high: number | null }
  readonly from: number
  readonly to: number
  /** What it shows, in words. */
  readonly label: string
}

const width = 300
const height = 56

export function Sparkline({ steps, band, from, to, label }: SparklineProps) {
  const hatch = useId()
  const [low, high] = traceRange(steps, band)
  const frame: Frame = { width, height, from, to, low, high }
  const top = band.high === null ? 0 : yOf(frame, band.high)
  const bottom = band.low === null ? height : yOf(frame, band.low)
  const hasBand = band.low !== null || band.high !== null
  return (
    <svg
      className={classes.trace}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <defs>
        <pattern id={hatch} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path d="M0 0V6" className={classes.hatch} />
        </pattern>
      </defs>
      {hasBand ? <rect x="0" y={top} width={width} height={bottom - top} className={classes.allowed} /> : null}
      {holesOf(steps, to).map((hole) => (
        <rect
          key={hole.from}
          x={xOf(frame, hole.from)}
          width={Math.max(0, xOf(frame, hole.to) - xOf(frame, hole.from))}
          y="0"
          height={height}
          fill={`url(#${hatch})`}
        />
      ))}
      {hasBand
        ? [band.low, band.high]
            .filter((each) => each !== null)
            .map((limit) => <path key={limit} d={`M0 ${yOf(frame, limit)}H${width}`} className={classes.limit} />)
        : null}
      {runsOf(steps).map((run) => (
        <g key={run[0]!.at}>
          <path d={bandPath(frame, run)} className={classes.band} />
          <path d={run.length === 1 ? `${meanPath(frame, run)}h2` : meanPath(frame, run)} className={classes.mean} />
        </g>
      ))}
    </svg>
  )
}
