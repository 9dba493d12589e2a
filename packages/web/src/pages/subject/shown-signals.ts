/** The newest values as a page shows them: in the vocabulary's order, systolic and diastolic of one measurement as one pair. */
import { allSignals, shownUnit, signal } from '@careloop/contract'
import type { Latest } from '../../api/endpoints.ts'

type LatestSignal = Latest['signals'][number]

/** One tile, and the chart that belongs to it. */
export interface ShownSignal {
  /** Names it in the URL. */
  readonly code: string
  readonly label: string
  /** Signals that its chart draws together. */
  readonly codes: readonly string[]
  /** `192/124`, `5.1`, `< 40`, `no value`. */
  readonly text: string
  readonly unit: string
  readonly state: LatestSignal['state']
  readonly ageMs: number
  readonly gap: LatestSignal['gap']
  readonly series: number
}

export function shownSignals(latest: readonly LatestSignal[]): ShownSignal[] {
  return latest
    .toSorted((a, b) => placeOf(a.signal) - placeOf(b.signal))
    .flatMap((each) => {
      if (each.signal === 'diastolic' && partnerOf(each, 'systolic', latest) !== undefined) return []
      const diastolic = each.signal === 'systolic' ? partnerOf(each, 'diastolic', latest) : undefined
      return [diastolic === undefined ? single(each) : pair(each, diastolic)]
    })
}

const places = new Map(allSignals.map(({ code }, place) => [code, place]))
const placeOf = (code: string): number => places.get(code) ?? Number.MAX_SAFE_INTEGER

/** Of the same measurement: two values of different times are never one pair. */
const partnerOf = (of: LatestSignal, code: string, latest: readonly LatestSignal[]): LatestSignal | undefined =>
  latest.find(
    (each) => each.signal === code && each.device === of.device && each.last.measuredAt === of.last.measuredAt,
  )

const single = ({ signal: code, last, unit, state, ageMs, gap, series }: LatestSignal): ShownSignal => ({
  ...{ code, label: labelOf(code), codes: [code], text: valueText(last.value, code) },
  ...{ unit: shownUnit(unit), state, ageMs, gap, series },
})

const pair = (systolic: LatestSignal, diastolic: LatestSignal): ShownSignal => ({
  ...single(systolic),
  label: 'Blood pressure',
  codes: ['systolic', 'diastolic'],
  text: `${valueText(systolic.last.value, 'systolic')}/${valueText(diastolic.last.value, 'diastolic')}`,
})

export const labelOf = (code: string): string => signal(code)?.label ?? code

/** What stands for a value that is no number: beyond a limit (`< 40`), or that there is none. */
export function valueText(value: LatestSignal['last']['value'], code: string): string {
  if (typeof value === 'number') return value.toFixed(signal(code)?.decimals ?? 0)
  return 'absent' in value ? 'no value' : `${value.comparator} ${value.limit}`
}
