/** A frame set aside, as it stands in the log. */
import type { FrameQuarantined, QuarantineReason } from '@careloop/contract'
import type { Frame } from '../door.ts'
import type { ClockEpoch } from '../marks/device-marks.ts'

export interface AsideReason {
  readonly reason: QuarantineReason
  readonly pointer: string
  readonly message: string
}

/** Of a frame that was not read, so that nothing in it needs a clock. */
const UNKNOWN: ClockEpoch = { epoch: 0, offsetMs: 0 }

export function quarantineEntry(
  frame: Frame,
  why: AsideReason,
  id: string,
  clock: ClockEpoch = UNKNOWN,
): FrameQuarantined {
  return {
    kind: 'quarantined',
    id,
    tenant: frame.device.tenant,
    device: frame.device.device,
    door: frame.door,
    receivedAt: frame.receivedAt,
    reason: why.reason,
    pointer: why.pointer,
    message: why.message,
    ...(frame.topic === undefined ? {} : { topic: frame.topic }),
    ...(clock.epoch > 0 ? { clockEpoch: clock.epoch, clockOffsetMs: clock.offsetMs } : {}),
    frame: { format: frame.format, bytes: frame.bytes },
  }
}

/** One entry a reason: the first fault's words, and the pointers of all (at most 20 are named). */
export function summarise(faults: readonly AsideReason[]): readonly AsideReason[] {
  if (faults.length <= 1) return faults
  const byReason = new Map<QuarantineReason, AsideReason[]>()
  for (const fault of faults) {
    const same = byReason.get(fault.reason)
    if (same) same.push(fault)
    else byReason.set(fault.reason, [fault])
  }
  return [...byReason.values()].map((same) => ({ ...same[0]!, pointer: pointersOf(same) }))
}

function pointersOf(faults: readonly AsideReason[]): string {
  const named = faults.slice(0, 20).map((fault) => fault.pointer)
  if (faults.length > named.length) named.push(`and ${faults.length - named.length} more`)
  return named.join(', ')
}
