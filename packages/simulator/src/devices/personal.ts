/** Devices that a person wears or uses at home. Keys and units are those which such devices really send. */
import type { EpochMs } from '@careloop/contract'
import { batteryLevel } from '../signals/battery.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../signals/day-rhythm.ts'
import { shown, wander, within } from '../signals/noise.ts'
import {
  bloodPressure,
  bodyTemperature,
  bodyWeight,
  glucose,
  heartRate,
  type Person,
  respiratoryRate,
  spo2,
} from '../signals/person.ts'
import { oncePerDay } from './once-per-day.ts'
import type { Said, VirtualDevice } from './virtual-device.ts'

type Options = { readonly name: string; readonly everyMs?: number; readonly profile?: string }

const measuring = (
  { name, everyMs, profile = 'generic' }: Options,
  usualMs: number,
  classification: VirtualDevice['classification'],
  values: (at: EpochMs) => Readonly<Record<string, Said>>,
): VirtualDevice => ({
  ...{ name, profile, classification, everyMs: everyMs ?? usualMs },
  say: (at) => [{ what: 'measurement', at, values: values(at) }],
})

/** An upper-arm cuff at home, mmHg. */
export const bloodPressureCuff = (person: Person, options: Options): VirtualDevice =>
  measuring(options, 12 * HOUR, 'medical', (at) => {
    const { systolic, diastolic, pulse } = bloodPressure(person, at)
    return { systolic, diastolic, 'pulse-rate': pulse }
  })

/** A finger oximeter; its perfusion index rides along. */
export const pulseOximeter = (person: Person, options: Options): VirtualDevice =>
  measuring(options, 5 * SECOND, 'medical', (at) => ({
    spo2: spo2(person, at),
    'pulse-rate': heartRate(person, at),
    'perfusion-index': shown(within(3.4 + wander(person.seed + 81, at, 4 * MINUTE) * 2, 0.3, 12), 1),
  }))

/** A bedside monitor: heart rate, SpO2, respiratory rate. */
export const bedsideMonitor = (person: Person, options: Options): VirtualDevice =>
  measuring(options, 2 * SECOND, 'medical', (at) => ({
    'heart-rate': heartRate(person, at),
    spo2: spo2(person, at),
    'respiratory-rate': respiratoryRate(person, at),
  }))

/** Continuous glucose, mg/dL, each five minutes. */
export const glucoseMonitor = (person: Person, options: Options): VirtualDevice =>
  measuring(options, 5 * MINUTE, 'medical', (at) => ({
    'glucose-interstitial': glucose(person, at),
    'battery-level': batteryLevel(person.seed, person.script, at),
  }))

/** A finger-prick meter that shows mmol/L, as most of the world's do. */
export const glucoseMeter = (person: Person, options: Options): VirtualDevice =>
  measuring(options, 6 * HOUR, 'medical', (at) => ({
    glucose: { value: shown(glucose(person, at) / 18.016, 1), unit: 'mmol/L' },
  }))

/** A scale, each morning. */
export const scale = (person: Person, options: Options): VirtualDevice =>
  oncePerDay(
    measuring(options, DAY, 'wellness', (at) => ({ weight: bodyWeight(person, at) })),
    person,
    7.2,
  )

/** A thermometer of the Fahrenheit kind. */
export const thermometer = (person: Person, options: Options): VirtualDevice =>
  measuring(options, 8 * HOUR, 'medical', (at) => ({
    'body-temperature': { value: shown((bodyTemperature(person, at) * 9) / 5 + 32, 1), unit: '[degF]' },
  }))
