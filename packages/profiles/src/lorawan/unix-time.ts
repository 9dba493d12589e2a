/** A device's own time in Unix seconds. Before the network has set it, a clock counts from 0 or from its firmware's date. */
import type { DecodedReading } from '@careloop/contract'

/** 2017-07-14: no device that these profiles know is older. */
const EARLIEST = 1_500_000_000

export const unixTime = (seconds: number): Pick<DecodedReading, 'time'> | Pick<DecodedReading, 'untrustedTime'> =>
  seconds >= EARLIEST ? { time: { epochMs: seconds * 1000 } } : { untrustedTime: { epochMs: seconds * 1000 } }

export const UNSET_CLOCK = 'The clock of the device is not set; its time is not used.'
