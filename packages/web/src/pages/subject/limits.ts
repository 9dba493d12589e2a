/** Limits of rules as a chart draws them: thin lines with words, and the band that is allowed. */
import type { DrawnThreshold, SubjectRules } from '@careloop/contract'
import { signal } from '@careloop/contract'
import type { PlotLimit, PlotModel } from '../../parts/plot/model.ts'
import { shortLabel } from '../../parts/words.ts'

type SubjectRule = SubjectRules['rules'][number]

export const comparatorWords = { '>': '>', '>=': '≥', '<': '<', '<=': '≤' } as const

/** `≥ 180 mmHg` */
export const limitText = ({ comparator, limit, unit }: DrawnThreshold): string =>
  `${comparatorWords[comparator]} ${limit} ${unit}`.trim()

/** Lines at which something is raised. Each once, also where two rules share a limit; an own limit of the subject says so. */
export function limitsOf(rules: readonly SubjectRule[], codes: readonly string[]): PlotLimit[] {
  const drawn = new Map<string, PlotLimit>()
  for (const { thresholds, override } of rules)
    for (const each of thresholds) {
      if (each.role !== 'raise' || !codes.includes(each.signal)) continue
      const own = isOverridden(each, override) ? ', own limit' : ''
      const name = codes.length > 1 ? `${shortLabel(each)} ` : ''
      const label = `${name}${limitText(each)}${own}`
      drawn.set(label, { label, value: each.limit, role: 'raise' })
    }
  return [...drawn.values()]
}

export const isOverridden = ({ part, index }: DrawnThreshold, override: SubjectRule['override']): boolean =>
  override?.endedAt === undefined &&
  (override?.limits.some((each) => each.part === part && each.index === index) ?? false)

/** Between the narrowest limits on each side; of temperatures only, where inside is good and outside is not. */
export function bandOf(rules: readonly SubjectRule[], code: string): PlotModel['band'] {
  if (signal(code)?.dimension !== 'temperature') return undefined
  const limits = rules.flatMap(({ thresholds }) =>
    thresholds.filter((each) => each.role === 'raise' && each.signal === code),
  )
  const of = (sign: string) => limits.filter(({ comparator }) => comparator.startsWith(sign)).map(({ limit }) => limit)
  const [lows, highs] = [of('<'), of('>')]
  if (lows.length === 0 && highs.length === 0) return undefined
  return {
    low: lows.length === 0 ? null : Math.max(...lows),
    high: highs.length === 0 ? null : Math.min(...highs),
  }
}
