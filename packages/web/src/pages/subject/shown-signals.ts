/** The newest values as a page shows them: in the vocabulary's order, systolic and diastolic of one measurement as one pair. */
import { allSignals, type SignalKind, shownUnit, signal } from '@careloop/contract'
import type { Latest } from '../../api/endpoints.ts'
import { flagWords } from '../../parts/words.ts'

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
  readonly isTimeKnown: boolean
  readonly freshForMs: number
  /** What was found odd about the newest reading, in words. */
  readonly oddities: string
  readonly gap: LatestSignal['gap']
  readonly series: number
  /** `device`: of the device itself (battery, radio), shown apart. */
  readonly kind: SignalKind
  readonly device: string
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

const single = ({ signal: code, last, unit, state, gap, series, ...of }: LatestSignal): ShownSignal => ({
  ...{ code, label: labelOf(code), codes: [code], text: valueText(last.value, code) },
  ...{ unit: shownUnit(unit), state, gap, series, oddities: flagWords(last.flags) },
  ...{ ageMs: of.ageMs, isTimeKnown: of.isTimeKnown, freshForMs: of.freshForMs },
  ...{ kind: signal(code)?.kind ?? 'vital', device: of.device },
})

/** The state as it is when time has passed since it was read: no value stays fresh because reading it again fails. */
export const stateAfter = ({ state, ageMs, freshForMs }: ShownSignal, passedMs: number): ShownSignal['state'] =>
  state === 'fresh' && ageMs + passedMs > freshForMs ? 'stale' : state

/** Of a pair, the lesser state counts: one implausible pressure makes no current blood pressure. */
const lesser = (a: ShownSignal['state'], b: ShownSignal['state']): ShownSignal['state'] =>
  a === 'no-data' || b === 'no-data' ? 'no-data' : a === 'stale' ? a : b

const pair = (systolic: LatestSignal, diastolic: LatestSignal): ShownSignal => ({
  ...single(systolic),
  label: 'Blood pressure',
  codes: ['systolic', 'diastolic'],
  state: lesser(systolic.state, diastolic.state),
  isTimeKnown: systolic.isTimeKnown && diastolic.isTimeKnown,
  freshForMs: Math.min(systolic.freshForMs, diastolic.freshForMs),
  oddities: flagWords([...new Set([...(systolic.last.flags ?? []), ...(diastolic.last.flags ?? [])])]),
  text: `${valueText(systolic.last.value, 'systolic')}/${valueText(diastolic.last.value, 'diastolic')}`,
})

export const labelOf = (code: string): string => signal(code)?.label ?? code

/** What stands for a value that is no number: beyond a limit (`< 40`), or that there is none. */
export function valueText(value: LatestSignal['last']['value'], code: string): string {
  if (typeof value === 'number') return signal(code)?.meanings?.[value] ?? value.toFixed(signal(code)?.decimals ?? 0)
  return 'absent' in value ? 'no value' : `${value.comparator} ${value.limit}`
}
