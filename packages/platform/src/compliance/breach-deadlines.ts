/** The clocks of a breach (45 CFR 164.404, 164.406, 164.408). Pure. */

const DAY_MS = 86_400_000
/** From this many people on, HHS is told with the individuals, and the media of a state where as many live. */
export const largeBreach = 500

export interface BreachDeadlines {
  /** Each person: without unreasonable delay, at the latest 60 days after discovery. */
  readonly individuals: number
  /** HHS: with the individuals from 500 people on, else within 60 days after the end of the calendar year of discovery. */
  readonly hhs: number
  /** Prominent media, when more than 500 people of one state may be affected; null below. Where they live is for people to look up. */
  readonly media: number | null
}

/** @param discoveredAt ms; the day of discovery is day 0 and counts in UTC */
export function breachDeadlines(discoveredAt: number, affected: number): BreachDeadlines {
  const individuals = endOfDay(discoveredAt + 60 * DAY_MS)
  if (affected >= largeBreach)
    return { individuals, hhs: individuals, media: affected > largeBreach ? individuals : null }
  const nextYear = Date.UTC(new Date(discoveredAt).getUTCFullYear() + 1, 0, 1)
  return { individuals, hhs: endOfDay(nextYear + 59 * DAY_MS), media: null }
}

const endOfDay = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS + DAY_MS - 1
