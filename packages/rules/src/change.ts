/**
 * The trailing window of a rate rule: of the values in it, those that may yet be the lowest (for a fall, the highest). Values
 * rise from the oldest to the newest, so that the first one is what the newest measurement is compared with.
 */
import type { EpochMs } from '@careloop/contract'
import type { CompiledRate } from './compiled.ts'
import type { Source } from './rule.ts'
import type { Usable } from './truth.ts'

export interface Low {
  readonly at: EpochMs
  /** With the rate's sign: of a falling signal the negative. */
  readonly value: number
  readonly source: Source | undefined
  /** It stands for what was measured until then: equal to `at`, but for fast signals, whose lows share a 64th of the window. */
  until: EpochMs
}

/** A window is resolved to this many parts, which bounds what is kept; what is measured more slowly is compared exactly. */
const parts = 64
export const partOf = (withinMs: number): number => withinMs / parts

/** The low that a measurement at `at` is compared with; null when the window is empty. */
export function lowOf(window: readonly Low[], at: EpochMs, rate: CompiledRate): Low | null {
  for (const low of window) if (at - low.until <= rate.withinMs) return low
  return null
}

/**
 * Takes a measurement into the window.
 * @returns what it rises from: the low of the window, null when there was none before it
 */
export function passWindow(
  window: Low[],
  at: EpochMs,
  usable: Usable,
  source: Source | undefined,
  rate: CompiledRate,
): Low | null {
  // Of a value beyond what the meter can tell (LOW, HIGH) no difference can be told.
  if (typeof usable !== 'number') return null
  const value = usable * rate.sign
  let gone = 0
  while (gone < window.length && at - window[gone]!.until > rate.withinMs) gone += 1
  if (gone > 0) window.splice(0, gone)
  const low = window[0] ?? null
  while (window.length > 0 && window[window.length - 1]!.value >= value) window.pop()
  const last = window[window.length - 1]
  const partMs = partOf(rate.withinMs)
  if (last !== undefined && Math.floor(last.at / partMs) === Math.floor(at / partMs)) last.until = at
  else window.push({ at, value, source, until: at })
  return low
}

export const copyWindow = (window: readonly Low[]): Low[] => window.map((low) => ({ ...low }))
