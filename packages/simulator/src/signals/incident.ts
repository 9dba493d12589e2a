/** Scripted incidents: what goes wrong, from when to when. Models ask how strongly one is there at a moment. */
import type { EpochMs } from '@careloop/contract'

export type IncidentKind =
  | 'hypertensive-crisis' // pressure rises to 190/124
  | 'desaturation' // SpO2 falls to about 82
  | 'door-open' // a refrigerator's door stays open
  | 'dying-probe' // the battery falls, then silence
  | 'gateway-outage' // nothing comes through; what was measured comes afterwards
  | 'duplicate-sends' // everything is said twice
  | 'wrong-clock' // the device's clock is off by `clockOffsetMs`
  | 'garbage' // bytes that are no message

export interface Incident {
  readonly kind: IncidentKind
  /** [from, to); `to` left out = without end. */
  readonly from: EpochMs
  readonly to?: EpochMs
  /** Of `wrong-clock`: what the device's clock shows too much, ms. Default one hour. */
  readonly clockOffsetMs?: number
}

export const inside = ({ from, to }: Incident, t: EpochMs): boolean => t >= from && (to === undefined || t < to)

/** The incident of a kind that is there at `t`. */
export const incidentAt = (script: readonly Incident[], kind: IncidentKind, t: EpochMs): Incident | undefined =>
  script.find((incident) => incident.kind === kind && inside(incident, t))

/** How strongly a kind of incident is there, [0, 1]: rises over `riseMs` from its beginning, falls as fast after its end. */
export function strength(script: readonly Incident[], kind: IncidentKind, t: EpochMs, riseMs: number): number {
  let strongest = 0
  for (const incident of script) {
    if (incident.kind !== kind || t < incident.from) continue
    const { from, to = Number.POSITIVE_INFINITY } = incident
    const risen = (at: EpochMs) => (riseMs === 0 ? 1 : Math.min(1, (at - from) / riseMs))
    const now = t < to ? risen(t) : risen(to) - (riseMs === 0 ? 1 : (t - to) / riseMs)
    strongest = Math.max(strongest, now)
  }
  return strongest
}
