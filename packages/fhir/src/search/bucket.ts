/**
 * Quantities in an index without plain numbers. The canonical value lies in an octave (sign, power of two) and in one of its 64
 * parts; the names of both become blind keys. A range is the parts at its edges and the octaves between, some hundred names at most.
 * The edges hold a little too much, and `matches` decides.
 */

/** Powers of two that are octaves of their own; what is smaller or larger shares one. Canonical pressures lie near 2^24. */
const lowest = -24
const highest = 60
const parts = 64

/** Signed: 0 is zero, 1 the smallest positive octave, -1 the smallest negative one. */
interface Place {
  readonly octave: number
  readonly part: number
}

/** Names of the octave and of the part in which a number in canonical units lies. */
export function bucketNamesOf(value: number, unit: string): readonly string[] {
  const { octave, part } = placeOf(shifted(value, unit))
  return [nameOf(octave), nameOf(octave, part)]
}

/** Names of which every number from `low` to `high` has at least one; either may be infinite. */
export function bucketsBetween(low: number, high: number, unit: string): readonly string[] {
  // Floats carry dust: what lies at an edge may lie in the next part.
  const [from, to] = [placeOf(widened(shifted(low, unit), -1)), placeOf(widened(shifted(high, unit), 1))]
  if (from.octave === to.octave) return partsOf(from.octave, from.part, to.part)
  const between = Array.from({ length: to.octave - from.octave - 1 }, (_, index) => nameOf(from.octave + 1 + index))
  return [...upwards(from), ...between, ...downwards(to)]
}

/** All temperatures of people are 310 K give or take: they are told apart by how far they are from it. */
const shifted = (value: number, unit: string): number => (unit === 'K' ? value - 310.15 : value)

const widened = (value: number, way: 1 | -1): number =>
  Number.isFinite(value) ? value + way * (Math.abs(value) * 1e-9 + 1e-9) : value

/** Parts grow with the number, so those of a negative octave are counted from its far end. */
function placeOf(value: number): Place {
  if (value === 0 || Number.isNaN(value)) return { octave: 0, part: 0 }
  const { octave, part } = positivePlace(Math.abs(value))
  return value > 0 ? { octave, part } : { octave: -octave, part: parts - 1 - part }
}

function positivePlace(size: number): Place {
  if (size < 2 ** lowest) return { octave: 1, part: 0 }
  if (size >= 2 ** highest) return { octave: highest - lowest + 2, part: 0 }
  const guess = Math.floor(Math.log2(size))
  const power = size < 2 ** guess ? guess - 1 : size >= 2 ** (guess + 1) ? guess + 1 : guess
  return { octave: power - lowest + 2, part: Math.floor((size / 2 ** power - 1) * parts) }
}

const upwards = ({ octave, part }: Place): readonly string[] => partsOf(octave, part, parts - 1)
const downwards = ({ octave, part }: Place): readonly string[] => partsOf(octave, 0, part)

function partsOf(octave: number, from: number, to: number): readonly string[] {
  if (octave === 0 || (from === 0 && to === parts - 1)) return [nameOf(octave)]
  return Array.from({ length: to - from + 1 }, (_, index) => nameOf(octave, from + index))
}

const nameOf = (octave: number, part?: number): string => (part === undefined ? `${octave}` : `${octave}.${part}`)
