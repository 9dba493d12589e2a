/** A device that keeps what it measured until its owner lets it speak: cuffs and meters that are synchronised by hand. */
import type { EpochMs } from '@careloop/contract'
import type { VirtualDevice } from './virtual-device.ts'

/** What was measured at `measuredAt`, oldest first, is told together at `at`. */
export interface Telling {
  readonly at: EpochMs
  readonly measuredAt: readonly EpochMs[]
}

/** @param everyMs how often it could speak: it tells at its first moment at or after `at` */
export function toldAt(device: VirtualDevice, script: readonly Telling[], everyMs: number): VirtualDevice {
  return {
    ...device,
    everyMs,
    say: (moment) =>
      script
        .filter(({ at }) => at <= moment && at > moment - everyMs)
        .flatMap(({ measuredAt }) => measuredAt.flatMap((each) => device.say(each))),
  }
}
