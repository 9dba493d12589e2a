/** A limit while somebody types it: which it is, the number as text, the unit; checked before it is sent. */
import {
  acceptedUnits,
  type DrawnThreshold,
  isPlausible,
  type LimitEdit,
  shownUnit,
  signal,
  toCanonical,
} from '@careloop/contract'

export interface LimitDraft {
  /** The limit as it stands in the rule; `limit` in `ucum`. */
  readonly of: DrawnThreshold
  readonly text: string
  /** UCUM */
  readonly unit: string
}

/** Limits that may be changed: those that say which they are. */
export const draftsOf = (thresholds: readonly DrawnThreshold[]): LimitDraft[] =>
  thresholds
    .filter(({ part, index }) => part !== undefined && index !== undefined)
    .map((of) => ({ of, text: String(of.limit), unit: of.ucum }))

const offered = ['mm[Hg]', 'kPa', 'Cel', '[degF]', 'mg/dL', 'mmol/L', 'kg', '[lb_av]', '%', '/min']
const names: Readonly<Record<string, string>> = { '[degF]': '°F', '[lb_av]': 'lb' }

/** Units that people choose from, the signal's own first: UCUM code and what people read. */
export function unitsFor(code: string): { readonly value: string; readonly label: string }[] {
  const own = signal(code)?.unit
  const accepted = new Set(acceptedUnits(code))
  const others = offered.filter((unit) => accepted.has(unit) && unit !== own)
  return [...(own === undefined ? [] : [own]), ...others].map((value) => ({
    value,
    label: names[value] ?? (shownUnit(value) || 'number'),
  }))
}

/** Accepts a decimal comma: half of the world types one. */
export const numberOf = (text: string): number =>
  /^\s*-?\d+([.,]\d+)?\s*$/.test(text) ? Number(text.trim().replace(',', '.')) : Number.NaN

/** What is wrong with a draft, in words; undefined = nothing. */
export function problemOf({ of, text, unit }: LimitDraft): string | undefined {
  const value = numberOf(text)
  if (Number.isNaN(value)) return 'Give a number.'
  const canonical = toCanonical(of.signal, value, unit)?.value
  if (typeof canonical !== 'number') return 'This unit does not fit the signal.'
  if (isPlausible(of.signal, canonical)) return undefined
  const [low, high] = signal(of.signal)!.plausible
  return `Outside of what can be measured: ${low} to ${high} ${shownUnit(signal(of.signal)!.unit)}.`
}

/** What it is in the signal's own unit, where another was chosen: `= 8.3 °C`. */
export function inOwnUnit({ of, text, unit }: LimitDraft): string | undefined {
  const own = signal(of.signal)
  if (own === undefined || unit === own.unit) return undefined
  const canonical = toCanonical(of.signal, numberOf(text), unit)?.value
  if (typeof canonical !== 'number' || Number.isNaN(canonical)) return undefined
  return `= ${Number(canonical.toFixed(Math.max(1, own.decimals)))} ${shownUnit(own.unit)}`
}

/** Those that were changed, as the server takes them. */
export const editsOf = (drafts: readonly LimitDraft[]): LimitEdit[] =>
  drafts.filter(isChanged).map(({ of, text, unit }) => ({
    part: of.part!,
    index: of.index!,
    limit: numberOf(text),
    unit,
  }))

export const isChanged = ({ of, text, unit }: LimitDraft): boolean => unit !== of.ucum || numberOf(text) !== of.limit

/**
 * A limit that is cleared on the wrong side of what raises would flap or never clear: > 8 may not clear at <= 9.
 * @returns words at the clearing limit's place in `drafts`
 */
export function overlapsOf(drafts: readonly LimitDraft[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  const canonical = ({ of, text, unit }: LimitDraft) => toCanonical(of.signal, numberOf(text), unit)?.value
  for (const [place, clear] of drafts.entries()) {
    if (clear.of.role !== 'clear') continue
    for (const raise of drafts) {
      if (raise.of.role !== 'raise' || raise.of.signal !== clear.of.signal) continue
      const [at, until] = [canonical(raise), canonical(clear)]
      if (typeof at !== 'number' || typeof until !== 'number') continue
      const isHigh = raise.of.comparator.startsWith('>')
      if (isHigh !== clear.of.comparator.startsWith('<')) continue
      if (isHigh ? until > at : until < at)
        found.set(
          place,
          `Would clear while it is still raised (${raise.of.comparator} ${raise.text}). Choose ${isHigh ? 'at most' : 'at least'} that.`,
        )
    }
  }
  return found
}
