/** A battery, %: it loses a little each day and is replaced at 35 %, before anybody is called; of a dying probe it falls to nothing within the incident. */
import type { EpochMs } from '@careloop/contract'
import { DAY } from './day-rhythm.ts'
import type { Incident } from './incident.ts'
import { uniform } from './noise.ts'

/** How much of a dying probe's incident passes before it falls silent. */
const DEATH = 0.7

export function batteryLevel(seed: number, script: readonly Incident[], t: EpochMs): number {
  const days = (t / DAY + uniform(seed, 91) * 400) % 400
  const usual = 100 - (days / 400) * 65
  const dying = script.find(({ kind, from }) => kind === 'dying-probe' && t >= from)
  if (!dying) return Math.round(usual)
  const share = lifetimeShare(dying, t)
  return Math.max(1, Math.round(Math.min(usual, 30) * (1 - share)))
}

/** Whether the battery has given out: nothing is sent any more, until the incident ends with a new battery. */
export const isDead = (script: readonly Incident[], t: EpochMs): boolean =>
  script.some(
    (incident) =>
      incident.kind === 'dying-probe' &&
      t >= incident.from &&
      lifetimeShare(incident, t) >= 1 &&
      (incident.to === undefined || t < incident.to),
  )

/** From 0 at the beginning of the incident to 1 when the battery is empty; an incident without end takes ten minutes. */
function lifetimeShare({ from, to }: Incident, t: EpochMs): number {
  if (to !== undefined && t >= to) return 0
  const life = to === undefined ? 600_000 : (to - from) * DEATH
  return Math.min(1, (t - from) / life)
}
