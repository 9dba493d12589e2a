/** Wall-clock time in a zone to an instant, with the zone database that Node carries. */

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
