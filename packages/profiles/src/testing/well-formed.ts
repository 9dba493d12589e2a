/** What every decoded frame owes to those who read it. Says what is wrong, or nothing. */
import { type DecodedFrame, type DeviceTime, isAbsent, isCensored, signal, toCanonical } from '@careloop/contract'

export function faultOf(frame: DecodedFrame): string | undefined {
  for (const { signal: code, value, unit, time, untrustedTime, ordinal, group } of frame.readings) {
    if (signal(code) === undefined) return `no signal ${code}`
    const isNumber =
      typeof value === 'number'
        ? Number.isFinite(value)
        : isAbsent(value) || (isCensored(value) && Number.isFinite(value.limit))
    if (!isNumber) return `${code} is neither a finite number nor absent`
    const canonical = toCanonical(code, value, unit)
    if (canonical === undefined) return `${code} cannot come in ${unit}`
    if (typeof canonical.value === 'number' && !Number.isFinite(canonical.value)) return `${code} overflows`
    if (!isTime(time) || !isTime(untrustedTime)) return `${code} has an impossible time`
    if (untrustedTime !== undefined && frame.clockUnset !== true) return 'an untrusted time without clockUnset'
    if (![ordinal ?? 0, group ?? 0].every(Number.isInteger)) return `${code} has no whole ordinal or group`
  }
  for (const [name, value] of Object.entries(frame.attributes ?? {})) {
    if (typeof value === 'number' && !Number.isFinite(value)) return `attribute ${name} is not finite`
    if (!['string', 'number', 'boolean'].includes(typeof value)) return `attribute ${name} is no plain value`
  }
  return frame.sequence === undefined || Number.isSafeInteger(frame.sequence)
    ? undefined
    : 'the sequence is no whole number'
}

const isTime = (time: DeviceTime | undefined): boolean =>
  time === undefined ||
  ('epochMs' in time ? Number.isSafeInteger(time.epochMs) : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(time.local))
