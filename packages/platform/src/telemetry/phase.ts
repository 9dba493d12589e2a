/**
 * Where the spans of time of a device begin. Were they to begin at the same instant for all devices, what is written of each span
 * (its first readings, its summary) would come in one burst, and whatever came behind it would wait.
 */

/** No span is longer, ms; it is a whole multiple of each. */
const longestSpanMs = 3_600_000
const MAX_KEPT = 100_000

const known = new Map<string, number>()

/**
 * The beginning of the device's span in which an instant lies, ms. Spans of one length follow each other without a hole; those of an
 * hour begin where one of five minutes does.
 * @param spanMs divides an hour, whole seconds
 */
export function spanStart(device: string, at: number, spanMs: number): number {
  const phase = phaseOf(device)
  return Math.floor((at - phase) / spanMs) * spanMs + phase
}

/** Whole seconds, in ms: always the same of one device, spread over the hour. FNV-1a. */
function phaseOf(device: string): number {
  const found = known.get(device)
  if (found !== undefined) return found
  let hash = 0x811c9dc5
  for (let i = 0; i < device.length; i++) hash = Math.imul(hash ^ device.charCodeAt(i), 0x01000193)
  const phase = ((hash >>> 0) % (longestSpanMs / 1_000)) * 1_000
  if (known.size >= MAX_KEPT) known.clear()
  known.set(device, phase)
  return phase
}
