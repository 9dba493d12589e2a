/** An instant as FHIR's dateTime, with the offset of the zone in which its subject lived: a clinician reads the person's own clock. */

/** Offsets change at whole quarters of an hour, in every zone since 1972. */
const QUARTER_MS = 900_000
const MAX_KEPT = 20_000

const formats = new Map<string, Intl.DateTimeFormat>()
const offsets = new Map<string, string>()

/** @param at ms */
export function dateTimeIn(timeZone: string, at: number): string {
  const offset = offsetAt(timeZone, at)
  const sign = offset[0] === '-' ? -1 : 1
  const shift = sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6))) * 60_000
  return `${new Date(at + shift).toISOString().slice(0, -1)}${offset}`
}

/** `+01:00` */
function offsetAt(timeZone: string, at: number): string {
  const key = `${timeZone} ${Math.floor(at / QUARTER_MS)}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  const part = formatOf(timeZone)
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')
  const offset = /[+-]\d\d:\d\d/.exec(part?.value ?? '')?.[0] ?? '+00:00'
  if (offsets.size >= MAX_KEPT) offsets.clear()
  offsets.set(key, offset)
  return offset
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  formats.set(timeZone, made)
  return made
}
