/** Parsed readings to readings of the log: canonical unit, plausible, with three clocks. What does not pass is a fault. Pure. */
import { isPlausible, type LoggedReading, type ReadingFlag, signal, toCanonical } from '@careloop/contract'
import { settleRelative, settleTime } from './clocks/settle-time.ts'
import type { WallClock } from './clocks/wall-clock.ts'
import type { Fault, ParsedReading } from './decode/names.ts'
import type { ClockEpoch } from './marks/device-marks.ts'

export interface Settled {
  readonly readings: LoggedReading[]
  readonly faults: Fault[]
}

export interface SettleContext {
  readonly receivedAt: number
  readonly clock: ClockEpoch
  readonly wall: WallClock
  /** An operator has looked and takes implausible values as they are: kept with a flag, used by no rule. */
  readonly takeImplausible?: boolean
}

export function settleReadings(parsed: readonly ParsedReading[], context: SettleContext): Settled {
  const readings: LoggedReading[] = []
  const faults: Fault[] = []
  const grouped = parsed.some((reading) => GROUPED.has(reading.signal))
  for (const reading of parsed) {
    const canonical = toCanonical(reading.signal, reading.value, reading.unit)
    if (!canonical) {
      faults.push(unitFault(reading))
      continue
    }
    const plausible = isPlausible(reading.signal, canonical.value)
    if (!plausible && !context.takeImplausible) {
      faults.push(implausibleFault(reading))
      continue
    }
    const time =
      reading.relativeMs === undefined
        ? settleTime(reading.time, reading.untrustedTime, context.receivedAt, context.clock, context.wall)
        : settleRelative(reading.relativeMs, context.receivedAt)
    const flags = flagsOf(time.flag, plausible)
    const told = reading.time ?? reading.untrustedTime
    readings.push({
      signal: reading.signal,
      value: canonical.value,
      measuredAt: time.measuredAt,
      ordinal: reading.ordinal,
      ...(time.deviceTime === undefined ? {} : { deviceTime: time.deviceTime }),
      ...(told && 'local' in told ? { deviceLocal: told.local } : {}),
      ...(canonical.original ? { original: canonical.original } : {}),
      ...(grouped ? { groupId: `${time.deviceTime ?? context.receivedAt}.${reading.group}` } : {}),
      ...(flags ? { flags } : {}),
    })
  }
  return { readings: inOrder(readings, context.receivedAt), faults }
}

/** Moments that a fast clock told apart, and that were all put to when they came, stay apart by a millisecond each. */
function inOrder(readings: LoggedReading[], receivedAt: number): LoggedReading[] {
  const isAtReceipt = ({ measuredAt, deviceTime }: LoggedReading) =>
    measuredAt === receivedAt && deviceTime !== undefined
  const told = [...new Set(readings.filter(isAtReceipt).map((reading) => reading.deviceTime!))]
  if (told.length <= 1) return readings
  const back = new Map(told.sort((a, b) => b - a).map((time, i) => [time, i]))
  return readings.map((reading) =>
    isAtReceipt(reading) ? { ...reading, measuredAt: receivedAt - back.get(reading.deviceTime!)! } : reading,
  )
}

/** Signals that mean something only together: one cuff measurement. The group is unique within its device. */
const GROUPED = new Set(['systolic', 'diastolic', 'mean-arterial-pressure'])

function flagsOf(time: ReadingFlag | undefined, plausible: boolean): readonly ReadingFlag[] | undefined {
  if (plausible) return time ? [time] : undefined
  return time ? [time, 'implausible'] : ['implausible']
}

function unitFault(reading: ParsedReading): Fault {
  const known = signal(reading.signal)
  return {
    reason: known ? 'unit-mismatch' : 'unknown-signal',
    pointer: reading.pointer,
    message: known
      ? `${known.label} is stored in ${known.unit}; the unit that came is not one of its quantity. Correct the device's profile, then replay.`
      : 'The vocabulary has no such signal. Install the profile that names it, then replay.',
  }
}

function implausibleFault(reading: ParsedReading): Fault {
  const known = signal(reading.signal)!
  const [min, max] = known.plausible
  return {
    reason: 'implausible',
    pointer: reading.pointer,
    message: `${known.label} lies between ${min} and ${max} ${known.unit} in a living person or a working device. Check the device; replay to keep the value flagged.`,
  }
}
