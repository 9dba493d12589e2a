/**
 * A vaccine refrigerator: its compressor swings the air, a buffered probe (in a bottle of glycol) follows the air slowly, an open
 * door lets the room in. First-order lag, time constants in the range of CDC's buffered probes.
 */
import type { EpochMs } from '@careloop/contract'
import { MINUTE } from './day-rhythm.ts'
import { type Incident, incidentAt, strength } from './incident.ts'
import { normal, seedOf, shown, uniform, wander, within } from './noise.ts'

export interface Refrigerator {
  readonly seed: number
  /** Cel. */
  readonly setPoint: number
  readonly roomTemperature: number
  readonly script: readonly Incident[]
}

export const aRefrigerator = (word: string, over: Partial<Refrigerator> = {}): Refrigerator => {
  const seed = seedOf(word)
  return { seed, setPoint: 4.6 + uniform(seed, 1) * 0.8, roomTemperature: 21.5, script: [], ...over }
}

/** How slowly the buffered probe follows the air, ms. */
const LAG = 20 * MINUTE
const STEP = MINUTE

/** Whether the door is open: by script, and now and then for half a minute by day. */
export function isDoorOpen(fridge: Refrigerator, t: EpochMs): boolean {
  if (incidentAt(fridge.script, 'door-open', t)) return true
  const slot = Math.floor(t / (30 * MINUTE))
  const start = slot * 30 * MINUTE + uniform(fridge.seed + 5, slot) * 29 * MINUTE
  return uniform(fridge.seed + 6, slot) < 0.4 && t >= start && t < start + MINUTE / 2
}

/** Air, Cel, one decimal. */
export const airTemperature = (fridge: Refrigerator, t: EpochMs): number => shown(air(fridge, t), 1)

/** The buffered probe, Cel, one decimal. */
export function probeTemperature(fridge: Refrigerator, t: EpochMs): number {
  // Five lags back nothing is felt any more: the weight is below 1 %.
  const first = Math.floor((t - 5 * LAG) / STEP)
  const last = Math.floor(t / STEP)
  let sum = 0
  let weights = 0
  for (let n = first; n <= last; n++) {
    const weight = Math.exp((n * STEP - t) / LAG)
    sum += air(fridge, n * STEP) * weight
    weights += weight
  }
  return shown(sum / weights, 1)
}

/** Humidity beside the probe, %, whole. */
export const humidity = (fridge: Refrigerator, t: EpochMs): number =>
  Math.round(within(42 + wander(fridge.seed + 9, t, 90 * MINUTE) * 8 + 25 * openness(fridge, t), 15, 95))

function air(fridge: Refrigerator, t: EpochMs): number {
  const { seed, setPoint, roomTemperature } = fridge
  const cycle = Math.sin((t / (22 * MINUTE)) * 2 * Math.PI + uniform(seed, 2) * 6) * 1.1
  const cold = setPoint + cycle + wander(seed + 3, t, 70 * MINUTE) * 0.4
  const brief = openness(fridge, t) === 0 && isDoorOpen(fridge, t) ? 2 : 0
  const grain = normal(seed + 4, Math.floor(t / (10 * 1000))) * 0.05
  return cold + (roomTemperature - 3 - cold) * openness(fridge, t) + brief + grain
}

const openness = (fridge: Refrigerator, t: EpochMs): number => strength(fridge.script, 'door-open', t, 10 * MINUTE)
