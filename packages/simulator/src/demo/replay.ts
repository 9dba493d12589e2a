/**
 * A recording as a device would tell it now: what lies before `cut` as its memory, with the spacing it really had; from `cut` on
 * live, one after the other.
 */
import type { EpochMs } from '@careloop/contract'
import type { Utterance } from '../devices/virtual-device.ts'
import { HOUR, SECOND } from '../signals/day-rhythm.ts'
import type { Recorded } from './recordings.ts'

export interface Replay {
  readonly history: readonly Utterance[]
  /** `afterMs` from the start; told with the time at which it is told. */
  readonly live: readonly { readonly afterMs: number; readonly values: Recorded['values'] }[]
}

/** Waits between two measurements in place of the real ones. */
export type Pace = (realGapMs: number, index: number) => number

/**
 * @param start when the replay begins; the measurement at `cut` is told `leadMs` later
 * @param pace index counts from `cut`: the wait before the measurement at `cut + index`
 */
export function planReplay(
  recorded: readonly Recorded[],
  cut: number,
  start: EpochMs,
  leadMs: number,
  pace: Pace,
): Replay {
  const shift = start + leadMs - recorded[cut]!.at
  const history = recorded
    .slice(0, cut)
    .map(({ at, values }): Utterance => ({ what: 'measurement', at: at + shift, values }))
  let afterMs = leadMs
  const live = recorded.slice(cut).map(({ at, values }, index) => {
    if (index > 0) afterMs += pace(at - recorded[cut + index - 1]!.at, index)
    return { afterMs, values }
  })
  return { history, live }
}

/** Three measurements in a row within seconds (four hours of home life a second), then twelve hours a minute. */
export const bloodPressurePace: Pace = (gap, index) =>
  index < 3 ? Math.max(3 * SECOND, gap / 14_400) : Math.max(20 * SECOND, (gap / (12 * HOUR)) * 60 * SECOND)

/** A refrigerator keeps its real pace: minutes are what its rules are about. */
export const realPace: Pace = (gap) => gap
