/**
 * The newest measurement of each device, as far as this holder of the partition knows. Putting a device on somebody is an
 * everyday act and moves nothing; this tells it from a correction without a look at the log.
 */
import type { AssignmentChanged, EpochMs, ReadingsLogged } from '@careloop/contract'
import { skewMs } from './log-history.ts'

export class LastHeard {
  readonly #newest = new Map<string, EpochMs>()
  readonly #since: EpochMs

  /** @param since storedAt of the newest commit before those that are heard here; -Infinity = all were */
  constructor(since: EpochMs) {
    this.#since = since
  }

  hear({ device, readings }: ReadingsLogged): void {
    let newest = this.#newest.get(device) ?? Number.NEGATIVE_INFINITY
    for (const { measuredAt } of readings) if (measuredAt > newest) newest = measuredAt
    this.#newest.set(device, newest)
  }

  /** Whether the log may hold readings of the device that the change concerns. */
  mayReachBack({ device, since }: AssignmentChanged): boolean {
    return since <= this.#since + skewMs || since <= (this.#newest.get(device) ?? Number.NEGATIVE_INFINITY)
  }
}
