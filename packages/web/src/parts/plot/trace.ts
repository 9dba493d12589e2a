/** A small trace as SVG paths: stretches of the mean and of the min-max band, broken where nothing was measured. Pure. */
export interface TraceStep {
  readonly at: number
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
}

export interface Frame {
  readonly width: number
  readonly height: number
  readonly from: number
  readonly to: number
  readonly low: number
  readonly high: number
}

/** Lowest and highest to show: what was measured and the allowed band, with air. */
export function traceRange(
  steps: readonly TraceStep[],
  band: { low: number | null; high: number | null },
): [number, number] {
  const values = [...steps.flatMap(({ min, max }) => [min, max]), band.low, band.high].filter(
    (each) => typeof each === 'number',
  )
  if (values.length === 0) return [0, 1]
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const air = Math.max((high - low) * 0.1, 0.5)
  return [low - air, high + air]
}

export const xOf = ({ width, from, to }: Frame, at: number): number => ((at - from) / (to - from)) * width
export const yOf = ({ height, low, high }: Frame, value: number): number =>
  height - ((value - low) / (high - low)) * height

interface Known {
  readonly at: number
  readonly min: number
  readonly max: number
  readonly mean: number
}

const isKnown = (step: TraceStep): step is Known => step.mean !== null && step.min !== null && step.max !== null

/** Stretches without a gap. */
export function runsOf(steps: readonly TraceStep[]): Known[][] {
  const runs: Known[][] = [[]]
  for (const step of steps) {
    if (isKnown(step)) runs.at(-1)!.push(step)
    else if (runs.at(-1)!.length > 0) runs.push([])
  }
  return runs.filter((run) => run.length > 0)
}

/** Spans in which nothing was measured: `[from, to)`, the width of a step each at least. */
export function holesOf(steps: readonly TraceStep[], to: number): { readonly from: number; readonly to: number }[] {
  const holes: { from: number; to: number }[] = []
  for (const [index, step] of steps.entries()) {
    if (isKnown(step)) continue
    const end = steps[index + 1]?.at ?? to
    if (holes.at(-1)?.to === step.at) holes.at(-1)!.to = end
    else holes.push({ from: step.at, to: end })
  }
  return holes
}

const round = (value: number): number => Math.round(value * 10) / 10
const point = (frame: Frame, at: number, value: number) => `${round(xOf(frame, at))} ${round(yOf(frame, value))}`

export const meanPath = (frame: Frame, run: readonly Known[]): string =>
  `M${run.map(({ at, mean }) => point(frame, at, mean)).join('L')}`

export const bandPath = (frame: Frame, run: readonly Known[]): string =>
  `M${[
    ...run.map(({ at, max }) => point(frame, at, max)),
    ...run.toReversed().map(({ at, min }) => point(frame, at, min)),
  ].join('L')}Z`
