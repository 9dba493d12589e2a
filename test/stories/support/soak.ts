/** Stories run short in CI and long as a soak; the seed is printed, so that a failing run can be told again. */
export const isSoak = process.env.STORY_SOAK === '1'

/** How often a story hurts somebody: as many as it names in CI. */
export const roundsOr = (named: number): number => Number(process.env.STORY_ROUNDS ?? named)

export const seed = Number(process.env.STORY_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Mulberry32: numbers in 0..1 from a seed. */
export function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
