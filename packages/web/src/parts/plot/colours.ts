/** The theme's colours as they are now: canvas knows no CSS variables. */
import type { Priority } from '@careloop/contract'

export type SpanKind = Priority | 'technical'

export interface PlotColours {
  readonly lines: readonly string[]
  readonly axis: string
  readonly grid: string
  readonly ground: string
  readonly breach: string
  readonly allowed: string
  readonly soft: Readonly<Record<SpanKind, string>>
  readonly strong: Readonly<Record<SpanKind, string>>
}

export function coloursNow(): PlotColours {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    lines: [of('--plot'), of('--plot-2'), of('--plot-3')],
    axis: of('--plot-axis'),
    grid: of('--plot-grid'),
    ground: of('--mantine-color-body'),
    breach: of('--mantine-color-text'),
    allowed: of('--chosen'),
    soft: {
      high: of('--high-soft'),
      medium: of('--medium-soft'),
      low: of('--low-soft'),
      technical: of('--technical-soft'),
    },
    strong: {
      high: of('--high'),
      medium: of('--medium-edge'),
      low: of('--low-edge'),
      technical: of('--technical'),
    },
  }
}
