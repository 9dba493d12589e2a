/**
 * Randomness that depends on nothing but a seed and a time: asking twice, in any order, gives the same. So a device can tell its
 * past again after an outage without having kept it, and a test can ask for any moment.
 */
import type { EpochMs } from '@careloop/contract'

/** A well-mixed 32-bit hash of two numbers (finalizer of MurmurHash3); times beyond 32 bits keep both halves. */
export function hash(seed: number, n: number): number {
  const low = n | 0
  const high = Math.floor(n / 2 ** 32) | 0
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(low, 0xc2b2ae35) ^ Math.imul(high, 0x27d4eb2f)
  for (const [shift, factor] of [
    [16, 0x85ebca6b],
    [13, 0xc2b2ae35],
  ] as const)
    h = Math.imul(h ^ (h >>> shift), factor)
  return (h ^ (h >>> 16)) >>> 0
}

/** Uniform in [0, 1). */
export const uniform = (seed: number, n: number): number => hash(seed, n) / 2 ** 32

/** Near a normal distribution of deviation 1, within [-3.47, 3.47]: the sum of four uniform numbers. Bounded, as sensors are. */
export function normal(seed: number, n: number): number {
  let sum = 0
  for (let i = 0; i < 4; i++) sum += uniform(seed + i * 7919, n)
  return (sum - 2) * Math.sqrt(3)
}

/**
 * A smooth curve within [-1, 1] that wanders over about `periodMs`: what drifts, as a pulse does over minutes.
 * Value noise with cosine interpolation between the points of a lattice.
 */
export function wander(seed: number, t: EpochMs, periodMs: number): number {
  const place = t / periodMs
  const cell = Math.floor(place)
  const share = (1 - Math.cos((place - cell) * Math.PI)) / 2
  const at = (n: number) => uniform(seed, n) * 2 - 1
  return at(cell) * (1 - share) + at(cell + 1) * share
}

/** A number made of a word, so that a device's name is its seed. FNV-1a. */
export function seedOf(word: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193)
  return h >>> 0
}

export const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

/** Rounded to what a device shows: `decimals` places. */
export const shown = (value: number, decimals: number): number => {
  const factor = 10 ** decimals
  return Math.round(value * factor) / factor
}
