/** Promises of the models: bounds, day rhythm, sameness, and incidents that do what their script says. */
import { isPlausible } from '@careloop/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batteryLevel, isDead } from './battery.ts'
import { DAY, HOUR, MINUTE } from './day-rhythm.ts'
import type { Incident } from './incident.ts'
import { normal, uniform, wander } from './noise.ts'
import {
  aPerson,
  bloodPressure,
  bodyTemperature,
  bodyWeight,
  glucose,
  heartRate,
  respiratoryRate,
  spo2,
} from './person.ts'
import { airTemperature, aRefrigerator, humidity, isDoorOpen, probeTemperature } from './refrigerator.ts'

const moment = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) })
const word = fc.string({ minLength: 1, maxLength: 12 })
const midnight = Date.UTC(2026, 5, 10)

/** The mean of a signal between two hours of twenty days. */
function meanBetween(fromHour: number, toHour: number, read: (t: number) => number): number {
  let sum = 0
  let count = 0
  for (let day = 0; day < 20; day++)
    for (let t = fromHour * HOUR; t < toHour * HOUR; t += 7 * MINUTE) {
      sum += read(midnight + day * DAY + t)
      count++
    }
  return sum / count
}

describe('simulator > noise', () => {
  it('stays within its bounds and depends on seed and time only', () => {
    fc.assert(
      fc.property(fc.nat(), moment, fc.integer({ min: 1000, max: DAY }), (seed, t, period) => {
        expect(uniform(seed, t)).toSatisfy((x: number) => x >= 0 && x < 1)
        expect(Math.abs(normal(seed, t))).toBeLessThan(3.5)
        expect(Math.abs(wander(seed, t, period))).toBeLessThanOrEqual(1)
        expect(wander(seed, t, period)).toBe(wander(seed, t, period))
      }),
    )
  })

  it('wanders without jumps', () => {
    fc.assert(
      fc.property(fc.nat(), moment, (seed, t) => {
        expect(Math.abs(wander(seed, t + 1000, HOUR) - wander(seed, t, HOUR))).toBeLessThan(0.002)
      }),
    )
  })

  it('is even: tenths of the unit interval are hit alike', () => {
    const hits = new Array<number>(10).fill(0)
    for (let n = 0; n < 20_000; n++) hits[Math.floor(uniform(7, n * 5000) * 10)]! += 1
    for (const hit of hits) expect(Math.abs(hit - 2000)).toBeLessThan(250)
  })
})

describe('simulator > a person', () => {
  it('shows nothing that a living person on a working sensor could not show', () => {
    fc.assert(
      fc.property(word, moment, fc.boolean(), (name, t, ill) => {
        const script: Incident[] = ill
          ? [
              { kind: 'desaturation', from: t - HOUR },
              { kind: 'hypertensive-crisis', from: t - HOUR },
            ]
          : []
        const person = aPerson(name, { script })
        const { systolic, diastolic, pulse } = bloodPressure(person, t)
        expect(systolic - diastolic).toBeGreaterThanOrEqual(20)
        for (const [signal, value] of [
          ['systolic', systolic],
          ['diastolic', diastolic],
          ['pulse-rate', pulse],
          ['heart-rate', heartRate(person, t)],
          ['spo2', spo2(person, t)],
          ['respiratory-rate', respiratoryRate(person, t)],
          ['body-temperature', bodyTemperature(person, t)],
          ['body-weight', bodyWeight(person, t)],
          ['glucose-interstitial', glucose(person, t)],
        ] as const)
          expect([signal, value, isPlausible(signal, value)]).toEqual([signal, value, true])
      }),
    )
  })

  it('stays below the limits of severe hypertension while nothing is scripted', () => {
    fc.assert(
      fc.property(word, moment, (name, t) => {
        const { systolic, diastolic } = bloodPressure(aPerson(name), t)
        expect(systolic < 180 && diastolic < 120).toBe(true)
      }),
    )
  })

  it('sleeps at night: pulse and pressure lower, temperature highest in the afternoon, also in another zone', () => {
    for (const zoneOffsetMs of [0, -6 * HOUR]) {
      const person = aPerson('rhythm', { zoneOffsetMs })
      const local = (from: number, to: number, read: (t: number) => number) =>
        meanBetween(from, to, (t) => read(t - zoneOffsetMs))
      const pulse = (t: number) => heartRate(person, t)
      const pressure = (t: number) => bloodPressure(person, t).systolic
      const warmth = (t: number) => bodyTemperature(person, t)
      expect(local(10, 18, pulse) - local(1, 5, pulse)).toBeGreaterThan(6)
      expect(local(1, 5, pressure) / local(10, 18, pressure)).toBeLessThan(0.92)
      expect(local(16, 18, warmth) - local(4, 6, warmth)).toBeGreaterThan(0.5)
    }
  })

  it('has more glucose after a meal than before breakfast', () => {
    const person = aPerson('eater')
    const read = (t: number) => glucose(person, t)
    expect(meanBetween(8.5, 9.5, read) - meanBetween(4, 6, read)).toBeGreaterThan(20)
  })

  it('does what its script says: 190/124 in a crisis, about 82 % in a desaturation, and recovers', () => {
    const from = midnight + 15 * HOUR
    const to = from + 10 * MINUTE
    const person = aPerson('ill', {
      script: [
        { kind: 'hypertensive-crisis', from, to },
        { kind: 'desaturation', from, to },
      ],
    })
    expect(bloodPressure(person, from)).toMatchObject({ systolic: 190, diastolic: 124 })
    expect(bloodPressure(person, from - 1).systolic).toBeLessThan(180)
    expect(bloodPressure(person, to).systolic).toBeLessThan(180)
    expect(spo2(person, from - MINUTE)).toBeGreaterThan(92)
    expect(spo2(person, from + 5 * MINUTE)).toSatisfy((x: number) => x >= 78 && x <= 86)
    expect(spo2(person, to + 10 * MINUTE)).toBeGreaterThan(92)
  })
})

describe('simulator > a refrigerator', () => {
  it('keeps its probe between 2 and 8 Cel while nothing is scripted; its air may swing', () => {
    fc.assert(
      fc.property(word, moment, (name, t) => {
        const fridge = aRefrigerator(name)
        expect(probeTemperature(fridge, t)).toSatisfy((x: number) => x > 2 && x < 8)
        expect(airTemperature(fridge, t)).toSatisfy((x: number) => x > 0 && x < 12)
        expect(humidity(fridge, t)).toSatisfy((x: number) => x >= 0 && x <= 100)
      }),
    )
  })

  it('warms when the door is left open: the air at once, the probe later and past 8 Cel within the half hour', () => {
    const from = midnight + 12 * HOUR
    const fridge = aRefrigerator('left open', { script: [{ kind: 'door-open', from, to: from + HOUR }] })
    expect(isDoorOpen(fridge, from)).toBe(true)
    const early = from + 6 * MINUTE
    expect(airTemperature(fridge, early)).toBeGreaterThan(10)
    expect(probeTemperature(fridge, early)).toBeLessThan(8)
    expect(probeTemperature(fridge, from + 30 * MINUTE)).toBeGreaterThan(8)
    expect(probeTemperature(fridge, from + 3 * HOUR)).toBeLessThan(8)
  })
})

describe('simulator > a dying battery', () => {
  it('only falls, then gives out, and a new one speaks again', () => {
    const from = midnight
    const script: Incident[] = [{ kind: 'dying-probe', from, to: from + HOUR }]
    let last = 100
    for (let t = from; t < from + HOUR; t += MINUTE) {
      const level = batteryLevel(3, script, t)
      expect(level).toBeLessThanOrEqual(last)
      last = level
    }
    expect(isDead(script, from + 20 * MINUTE)).toBe(false)
    expect(isDead(script, from + 50 * MINUTE)).toBe(true)
    expect(isDead(script, from + HOUR)).toBe(false)
  })
})
