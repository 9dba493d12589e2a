/**
 * The newest measurement of each device, as far as this holder of the partition knows. Putting a device on somebody is an
 * everyday act and moves nothing; this tells it from a correction without a look at the log.
 */
import type { AssignmentChanged, EpochMs, ReadingsLogged } from '@careloop/contract'
import type { Source } from '@careloop/rules'
import { skewMs } from './log-history.ts'

interface Heard {
  readonly measuredAt: EpochMs
  readonly source: Source
}

export class LastHeard {
  readonly #newest = new Map<string, Heard>()
  readonly #since: EpochMs

  /** @param since storedAt of the newest commit before those that are heard here; -Infinity = all were */
  constructor(since: EpochMs) {
    this.#since = since
  }

  hear({ readings }: ReadingsLogged, source: Source): void {
    const known = this.#newest.get(source.device)
    let newest = known?.measuredAt ?? Number.NEGATIVE_INFINITY
    for (const { measuredAt } of readings) if (measuredAt > newest) newest = measuredAt
    if (newest !== known?.measuredAt) this.#newest.set(source.device, { measuredAt: newest, source })
  }

  /** Where the newest of what these devices measured stands in the log; undefined when none was heard here. */
  newestOf(devices: readonly string[]): Source | undefined {
    let newest: Heard | undefined
    for (const device of devices) {
      const heard = this.#newest.get(device)
      if (heard !== undefined && heard.measuredAt > (newest?.measuredAt ?? Number.NEGATIVE_INFINITY)) newest = heard
    }
    return newest?.source
  }

  /** Whether the log may hold readings of the device that the change concerns. */
  mayReachBack({ device, since }: AssignmentChanged): boolean {
    return since <= this.#since + skewMs || since <= (this.#newest.get(device)?.measuredAt ?? Number.NEGATIVE_INFINITY)
  }
}
