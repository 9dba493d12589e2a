/** Wall-clock time in a zone to an instant, with the zone database that Node carries. */
import type { Attribution, DeviceZones } from '../../fleet/index.ts'

/** The instant that a device means by `YYYY-MM-DDTHH:mm:ss`. */
export type WallClock = (local: string) => number

/**
 * A device's wall clock: in its own zone, else in that of who wore it then. Where two wearers' zones make both possible, around a
 * change of wearer, it is the later one's. Zones are asked for only when a device tells such a time.
 */
export function wallClockOf(attribution: Pick<Attribution, 'zones'>, device: string): WallClock {
  let zones: DeviceZones | undefined
  return (local) => {
    zones ??= attribution.zones(device)
    if (zones.own !== null) return wallClockToEpoch(local, zones.own)
    for (const { span, timeZone } of zones.worn) {
      const at = wallClockToEpoch(local, timeZone)
      if (at >= span.from && (span.to === null || at < span.to)) return at
    }
    return wallClockToEpoch(local, zones.otherwise)
  }
}

/** What the clock showed, as a number: tells one record from another whatever zone it is read in. Not an instant. */
export const faceOf = (local: string): number => Date.parse(`${local}Z`)

const formats = new Map<string, Intl.DateTimeFormat>()

function formatFor(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'narrow',
    })
    formats.set(zone, format)
  }
  return format
}

/** How far the zone's wall clock is ahead of UTC at an instant, ms. */
export function zoneOffsetMs(epochMs: number, zone: string): number {
  const part: Record<string, number> = {}
  for (const { type, value } of formatFor(zone).formatToParts(epochMs)) part[type] = Number(value)
  const wall = Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!)
  return wall - Math.floor(epochMs / 1000) * 1000
}

/**
 * Instant of a wall-clock time `YYYY-MM-DDTHH:mm:ss` in an IANA zone. In the hour that occurs twice the earlier instant is
 * taken; in the hour that does not occur the clock is read as if it had not yet been put forward.
 */
export function wallClockToEpoch(local: string, zone: string): number {
  const asUtc = Date.parse(`${local}Z`)
  const early = asUtc - zoneOffsetMs(asUtc - 86_400_000, zone)
  const late = asUtc - zoneOffsetMs(asUtc + 86_400_000, zone)
  for (const candidate of early <= late ? [early, late] : [late, early])
    if (candidate + zoneOffsetMs(candidate, zone) === asUtc) return candidate
  return early
}
