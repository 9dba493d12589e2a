/**
 * Quantities in an index without plain numbers: the canonical value falls into a bucket (sign, power of two, four bits after the
 * leading one), and the bucket's name becomes a blind key. A range is the names of all its buckets; the edges hold a little too much,
 * and `matches` decides.
 */

/** Powers of two that have buckets of their own; beyond them one bucket holds the rest. Canonical pressures are near 2^24. */
const lowest = -24
const highest = 60
const perOctave = 16

/** Name of the bucket of a number in canonical units. */
export const bucketOf = (value: number): string => nameOf(placeOf(value))

/** Names of all buckets that numbers from `low` to `high` fall into; either may be infinite. */
export function bucketsBetween(low: number, high: number): readonly string[] {
  // Floats carry dust: what lies at an edge may lie in the next bucket.
  const [from, to] = [placeOf(low - Math.abs(low) * 1e-9), placeOf(high + Math.abs(high) * 1e-9)]
  return Array.from({ length: to - from + 1 }, (_, index) => nameOf(from + index))
}

/** Buckets in their order, 0 at zero: small numbers near zero share a place, and so do those beyond the highest. */
function placeOf(value: number): number {
  if (value === 0 || Number.isNaN(value)) return 0
  const size = Math.abs(value)
  return value > 0 ? positivePlace(size) : -Math.ceil(positivePlace(size) / perOctave)
}

const top = (highest - lowest) * perOctave + 1

function positivePlace(size: number): number {
  if (size < 2 ** lowest) return 1
  if (size >= 2 ** highest) return top
  const power = Math.floor(Math.log2(size))
  const exponent = size < 2 ** power ? power - 1 : size >= 2 ** (power + 1) ? power + 1 : power
  return 1 + (exponent - lowest) * perOctave + Math.floor((size / 2 ** exponent - 1) * perOctave)
}

const nameOf = (place: number): string => place.toString(36)
