/**
 * A person who does not exist, as sensors would see them. Shapes, not medicine: a day rhythm, slow drift and the grain of a
 * sensor, within what living people show. Sources for the shapes: nocturnal dipping of 10-20 % (2025 AHA/ACC), heart rate lowest
 * before waking, body temperature highest in the late afternoon (about +-0.4 K), glucose rising for two hours after a meal.
 */
import type { EpochMs } from '@careloop/contract'
import { dayWave, HOUR, hourOfDay, MINUTE, SECOND, sleep } from './day-rhythm.ts'
import { type Incident, strength } from './incident.ts'
import { normal, seedOf, shown, uniform, wander, within } from './noise.ts'

export interface Person {
  readonly seed: number
  /** Local time minus UTC, ms. */
  readonly zoneOffsetMs: number
  /** Resting values by day: mmHg, /min, %, kg, mg/dL. */
  readonly systolic: number
  readonly diastolic: number
  readonly heartRate: number
  readonly spo2: number
  readonly weightKg: number
  readonly glucose: number
  readonly script: readonly Incident[]
}

/** A person made of a word; `over` sets what should not be left to chance. */
export function aPerson(word: string, over: Partial<Person> = {}): Person {
  const seed = seedOf(word)
  const among = (n: number, low: number, high: number) => low + uniform(seed, n) * (high - low)
  return {
    seed,
    zoneOffsetMs: 0,
    systolic: among(1, 112, 138),
    diastolic: among(2, 68, 84),
    heartRate: among(3, 58, 78),
    spo2: among(4, 95.5, 98.5),
    weightKg: among(5, 55, 95),
    glucose: among(6, 88, 118),
    script: [],
    ...over,
  }
}

/** Heart rate, /min, whole. Rises with a desaturation. */
export function heartRate(person: Person, t: EpochMs): number {
  const { seed, zoneOffsetMs, script } = person
  const effort = Math.max(0, wander(seed + 11, t, 40 * MINUTE)) ** 3 * 28 * (1 - sleep(t, zoneOffsetMs))
  const drift = wander(seed + 12, t, 3 * MINUTE) * 4 + wander(seed + 13, t, 20 * SECOND) * 2.5
  const rest = person.heartRate * (1 - 0.16 * sleep(t, zoneOffsetMs))
  const strain = 24 * strength(script, 'desaturation', t, 2 * MINUTE)
  return Math.round(within(rest + effort + drift + strain, 38, 190))
}

/** Functional oxygen saturation, %, whole. A desaturation takes it to about 82. */
export function spo2(person: Person, t: EpochMs): number {
  const drift = wander(person.seed + 21, t, 6 * MINUTE) * 0.8 + normal(person.seed + 22, Math.floor(t / SECOND)) * 0.3
  const fall = (person.spo2 - 82) * strength(person.script, 'desaturation', t, 90 * SECOND)
  const asleep = 1.1 * sleep(t, person.zoneOffsetMs)
  return Math.round(within(person.spo2 - asleep - fall + drift, 70, 100))
}

/** Respiratory rate, /min, whole. */
export function respiratoryRate(person: Person, t: EpochMs): number {
  const rest = 15.5 - 2.5 * sleep(t, person.zoneOffsetMs)
  const strain = 9 * strength(person.script, 'desaturation', t, 2 * MINUTE)
  return Math.round(within(rest + strain + wander(person.seed + 31, t, 2 * MINUTE) * 2.5, 6, 45))
}

export interface Pressure {
  readonly systolic: number
  readonly diastolic: number
  readonly pulse: number
}

/** One cuff measurement, mmHg and /min, whole. In a hypertensive crisis exactly 190/124, so that a script can be checked. */
export function bloodPressure(person: Person, t: EpochMs): Pressure {
  const { seed, zoneOffsetMs, script } = person
  const crisis = strength(script, 'hypertensive-crisis', t, 0)
  const pulse = heartRate(person, t)
  if (crisis === 1) return { systolic: 190, diastolic: 124, pulse: Math.round(within(pulse + 14, 38, 190)) }
  const dip = 1 - 0.13 * sleep(t, zoneOffsetMs)
  const morning = 4 * Math.max(0, dayWave(t, zoneOffsetMs, 9))
  const day = wander(seed + 41, t, 26 * HOUR) * 6
  const once = Math.floor(t / MINUTE)
  const systolic = within(person.systolic * dip + morning + day + normal(seed + 42, once) * 5, 84, 176)
  const diastolic = within(person.diastolic * dip + morning / 2 + day / 2 + normal(seed + 43, once) * 3.5, 46, 112)
  return { systolic: Math.round(systolic), diastolic: Math.round(Math.min(diastolic, systolic - 22)), pulse }
}

/** Body temperature, Cel, one decimal. */
export function bodyTemperature(person: Person, t: EpochMs): number {
  const rhythm = 0.38 * dayWave(t, person.zoneOffsetMs, 17)
  const grain = normal(person.seed + 51, Math.floor(t / MINUTE)) * 0.06
  return shown(within(36.7 + rhythm + wander(person.seed + 52, t, 30 * HOUR) * 0.15 + grain, 35.4, 38.2), 1)
}

/** Body weight, kg, one decimal: slow drift, and about half a kilogram between morning and evening. */
export function bodyWeight(person: Person, t: EpochMs): number {
  const day = 0.3 * dayWave(t, person.zoneOffsetMs, 19)
  const drift = wander(person.seed + 61, t, 9 * 24 * HOUR) * 0.9
  return shown(person.weightKg + day + drift + normal(person.seed + 62, Math.floor(t / MINUTE)) * 0.08, 1)
}

const MEALS = [7.6, 12.7, 18.9] as const

/** Interstitial glucose, mg/dL, whole: three meals a day, each a rise of an hour and a fall of two. */
export function glucose(person: Person, t: EpochMs): number {
  const day = Math.floor((t + person.zoneOffsetMs) / (24 * HOUR))
  const hour = hourOfDay(t, person.zoneOffsetMs)
  let rise = 0
  for (const [n, meal] of MEALS.entries()) {
    const since = hour - meal - wander(person.seed + 71 + n, day * 24 * HOUR, 24 * HOUR) * 0.6
    if (since > 0) rise += (38 + 34 * uniform(person.seed + 75 + n, day)) * since * Math.E ** (1 - since)
  }
  const drift = wander(person.seed + 78, t, 50 * MINUTE) * 7
  return Math.round(within(person.glucose + rise + drift, 54, 320))
}
