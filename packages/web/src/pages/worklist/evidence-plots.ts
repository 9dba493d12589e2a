/** The readings of an alert as charts. */
import { type EvidenceReading, type ExplainBody, signal } from '@careloop/contract'
import type { PlotLine, PlotModel } from '../../parts/plot/model.ts'
import { shortLabel } from '../../parts/words.ts'

/**
 * One chart a unit; systolic and diastolic together as bars.
 * @param isSilence the rule is about nothing coming: what was heard last, and a hatched gap since
 */
export function plotsOf(
  { readings, thresholds, alert, spans }: ExplainBody,
  isSilence: boolean,
  now: number,
): PlotModel[] {
  const end = alert.clearedAt ?? now
  const byUnit = Map.groupBy(readings, (reading) => reading.unit)
  return [...byUnit].map(([unit, own]) => {
    const lines = [...Map.groupBy(own, (reading) => reading.signal)].map(([code, some]) => lineOf(code, some))
    const codes = new Set(own.map((reading) => reading.signal))
    return {
      unit,
      lines: lines.sort((a, b) => order(a) - order(b)),
      limits: thresholds
        .filter((limit) => codes.has(limit.signal))
        .map(({ label, comparator, limit, role, unit }) => ({
          label: `${role === 'clear' ? 'clears ' : ''}${codes.size > 1 ? `${shortLabel({ label })} ` : ''}${words[comparator]} ${limit} ${unit}`,
          value: limit,
          role,
        })),
      gaps: isSilence ? [{ from: own.at(-1)!.measuredAt, to: end, reason: 'no-data' as const }] : [],
      ...(isSilence ? { from: own[0]!.measuredAt - (end - own[0]!.measuredAt) * 0.06, to: end } : {}),
      bars: codes.has('systolic') && codes.has('diastolic'),
      spans: spans.map(({ from, to }) => ({
        ...{ from, to: to ?? now, priority: alert.priority },
        ...(alert.nature === 'technical' ? { isTechnical: true } : {}),
      })),
    }
  })
}

const words = { '>': '>', '>=': '≥', '<': '<', '<=': '≤' } as const
const order = (line: PlotLine) => (line.label.startsWith('Systolic') ? 0 : 1)

const lineOf = (code: string, readings: readonly EvidenceReading[]): PlotLine => ({
  label: readings[0]!.label,
  decimals: signal(code)?.decimals ?? 0,
  points: readings.map(({ measuredAt, value, breach }) => ({ at: measuredAt, value, breach })),
})
