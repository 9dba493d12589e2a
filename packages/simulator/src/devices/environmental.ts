/** Devices of refrigerators and rooms, in the bytes of their makers where they speak bytes. */
import { batteryLevel, isDead } from '../signals/battery.ts'
import { MINUTE } from '../signals/day-rhythm.ts'
import { wander } from '../signals/noise.ts'
import { airTemperature, humidity, isDoorOpen, probeTemperature, type Refrigerator } from '../signals/refrigerator.ts'
import { em300Payload, eventOfChirpStack } from './lorawan-event.ts'
import { ruuviAdvertisement } from './ruuvi-advertisement.ts'
import type { VirtualDevice } from './virtual-device.ts'

type Options = { readonly name: string; readonly everyMs?: number }

/** A logger with two channels: air, and a probe in a buffer bottle; it knows the door, and its battery. */
export function fridgeProbe(fridge: Refrigerator, { name, everyMs = 5 * MINUTE }: Options): VirtualDevice {
  const { seed, script } = fridge
  return {
    ...{ name, profile: 'generic', classification: 'operational', everyMs },
    say(at) {
      if (isDead(script, at)) return []
      const values = {
        'temperature-ambient': airTemperature(fridge, at),
        'temperature-probe': probeTemperature(fridge, at),
        'door-open': isDoorOpen(fridge, at) ? 1 : 0,
        'battery-level': batteryLevel(seed, script, at),
      }
      return [{ what: 'measurement', at, values }]
    },
  }
}

/** A RuuviTag in the refrigerator, as a gateway hears it: raw data format 5. */
export function ruuviTag(fridge: Refrigerator, { name, everyMs = MINUTE }: Options): VirtualDevice {
  const { seed, script } = fridge
  return {
    ...{ name, profile: 'ruuvi', classification: 'operational', everyMs },
    say(at) {
      if (isDead(script, at)) return []
      const bytes = ruuviAdvertisement({
        temperature: airTemperature(fridge, at),
        humidity: humidity(fridge, at),
        pressureHPa: 1010 + wander(seed + 95, at, 180 * MINUTE) * 12,
        batteryMv: 2000 + batteryLevel(seed, script, at) * 11,
        counter: Math.floor(at / everyMs) % 65_535,
        seed,
      })
      return [{ what: 'frame', at, bytes }]
    },
  }
}

/** A Milesight EM300-TH over LoRaWAN, as an event of ChirpStack v4. */
export function em300Th(fridge: Refrigerator, { name, everyMs = 10 * MINUTE }: Options): VirtualDevice {
  const { seed, script } = fridge
  return {
    ...{ name, profile: 'milesight-em300-th', classification: 'operational', everyMs },
    say(at) {
      if (isDead(script, at)) return []
      const payload = em300Payload({
        temperature: airTemperature(fridge, at),
        humidity: humidity(fridge, at),
        battery: batteryLevel(seed, script, at),
      })
      const rssi = Math.round(-88 + wander(seed + 96, at, 30 * MINUTE) * 9)
      return [{ what: 'frame', at, bytes: eventOfChirpStack({ at, name, seed, payload, rssi }) }]
    },
  }
}
