/** Devices and what can go wrong with them; bytes are read back by the decoders that the platform has. */
import { profile } from '@careloop/profiles'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE } from '../signals/day-rhythm.ts'
import { aPerson, glucose } from '../signals/person.ts'
import { airTemperature, aRefrigerator, humidity } from '../signals/refrigerator.ts'
import { em300Th, fridgeProbe, ruuviTag } from './environmental.ts'
import { withFaults } from './faults.ts'
import { bedsideMonitor, bloodPressureCuff, glucoseMeter, scale, thermometer } from './personal.ts'
import { toldAt } from './told-at.ts'
import { tellings, type Utterance } from './virtual-device.ts'

const moment = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) })
const start = Date.UTC(2026, 5, 10, 9)

const decoded = (device: { profile: string }, utterance: Utterance | undefined) => {
  if (utterance?.what !== 'frame') throw new Error('a frame was expected')
  const { readings } = profile(device.profile)!.decode!(utterance.bytes)
  return new Map(readings.map(({ signal, value, time }) => [signal, { value, time }]))
}

const times = (utterances: readonly Utterance[]) =>
  utterances.map((each) => (each.what === 'attributes' ? Number.NaN : each.at))

describe('simulator > devices', () => {
  it('say the same for the same moment, in any order', () => {
    const device = bedsideMonitor(aPerson('same'), { name: 'monitor' })
    const forth = tellings(device, start, start + MINUTE)
    expect(forth).toHaveLength(30)
    expect(forth.map((each) => (each.what === 'measurement' ? device.say(each.at)[0] : null))).toEqual(forth)
  })

  it('use only keys that their profile knows', () => {
    const person = aPerson('keys')
    for (const device of [
      bloodPressureCuff(person, { name: 'cuff' }),
      glucoseMeter(person, { name: 'meter' }),
      scale(person, { name: 'scale' }),
      thermometer(person, { name: 'thermometer' }),
      fridgeProbe(aRefrigerator('f'), { name: 'probe' }),
    ])
      for (const said of device.say(start))
        for (const key of Object.keys(said.what === 'frame' ? {} : said.values))
          expect([key, profile(device.profile)!.find(key) !== undefined]).toEqual([key, true])
  })

  it('a meter in mmol/L and the person behind it agree', () => {
    const person = aPerson('units')
    const [said] = glucoseMeter(person, { name: 'meter' }).say(start)
    if (said?.what !== 'measurement') throw new Error('a measurement was expected')
    const shown = said.values.glucose as { value: number; unit: string }
    expect(shown.unit).toBe('mmol/L')
    expect(Math.abs(shown.value * 18.016 - glucose(person, start))).toBeLessThan(1)
  })

  it('a scale tells a weighing of this or the last morning, never of the future', () => {
    fc.assert(
      fc.property(moment, (at) => {
        const [said] = scale(aPerson('morning'), { name: 'scale' }).say(at)
        const used = said!.what === 'measurement' ? said!.at : Number.NaN
        expect(used).toBeLessThanOrEqual(at)
        expect(at - used).toBeLessThan(25 * HOUR)
      }),
    )
  })

  it('a RuuviTag is read back by the decoder of its profile', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 8 }), moment, (name, at) => {
        const fridge = aRefrigerator(name)
        const device = ruuviTag(fridge, { name: 'tag' })
        const readings = decoded(device, device.say(at)[0])
        expect(readings.get('temperature-ambient')!.value).toBeCloseTo(airTemperature(fridge, at), 2)
        expect(readings.get('humidity')!.value).toBeCloseTo(humidity(fridge, at), 1)
      }),
    )
  })

  it('an EM300-TH behind ChirpStack is read back by the decoder of its profile, with its time', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 8 }), moment, (name, at) => {
        const fridge = aRefrigerator(name)
        const device = em300Th(fridge, { name: 'sensor' })
        const readings = decoded(device, device.say(at)[0])
        expect(readings.get('temperature-ambient')).toEqual({
          value: expect.closeTo(airTemperature(fridge, at), 5),
          time: { epochMs: at },
        })
        expect(readings.get('humidity')!.value).toBe(humidity(fridge, at))
      }),
    )
  })
})

describe('simulator > a device that is told by hand', () => {
  it('tells together what it measured apart, once, with the times of measuring', () => {
    const person = aPerson('apart', { script: [{ kind: 'hypertensive-crisis', from: 0 }] })
    const cuff = bloodPressureCuff(person, { name: 'apart' })
    const said = tellings(toldAt(cuff, [{ at: 200_000, measuredAt: [80_000, 200_000] }], 5_000), 100_000, 400_000)
    expect(said.map((each) => each.what === 'measurement' && [each.at, each.values.systolic])).toEqual([
      [80_000, 190],
      [200_000, 190],
    ])
  })
})

describe('simulator > faults', () => {
  const plain = fridgeProbe(aRefrigerator('faulty'), { name: 'probe', everyMs: MINUTE })
  const end = start + 2 * HOUR
  const from = start + 20 * MINUTE
  const to = start + 50 * MINUTE

  it('an outage of the gateway loses nothing: everything comes afterwards, with its own time', () => {
    const broken = withFaults(plain, [{ kind: 'gateway-outage', from, to }])
    expect(times(tellings(broken, from, to))).toEqual([])
    const all = tellings(broken, start, end)
    expect(all).toEqual(tellings(plain, start, end))
  })

  it('duplicates are the same message twice', () => {
    const twice = withFaults(plain, [{ kind: 'duplicate-sends', from, to }])
    const once = tellings(plain, from, to)
    expect(tellings(twice, from, to)).toEqual(once.flatMap((each) => [each, each]))
  })

  it('a wrong clock shows one hour too much and nothing else', () => {
    const wrong = withFaults(plain, [{ kind: 'wrong-clock', from, to }])
    expect(times(tellings(wrong, from, to))).toEqual(times(tellings(plain, from, to)).map((at) => at + HOUR))
    expect(tellings(wrong, to, end)).toEqual(tellings(plain, to, end))
  })

  it('garbage comes beside the message and is read by no decoder', () => {
    const tag = ruuviTag(aRefrigerator('garbled'), { name: 'tag' })
    const garbled = withFaults(tag, [{ kind: 'garbage', from, to }])
    for (const at of times(tellings(tag, from, to))) {
      const [said, rubbish] = garbled.say(at)
      expect(said).toEqual(tag.say(at)[0])
      expect(() => decoded(tag, rubbish)).toThrow()
    }
  })

  it('a dying probe falls silent', () => {
    const dying = fridgeProbe(aRefrigerator('dying', { script: [{ kind: 'dying-probe', from }] }), {
      name: 'probe',
      everyMs: MINUTE,
    })
    const said = times(tellings(dying, start, end))
    expect(said.at(-1)).toBeLessThanOrEqual(from + 10 * MINUTE)
    expect(said.at(-1)).toBeGreaterThan(from)
  })
})
