/** Profiles of devices that speak the Bluetooth health services: one per kind of device, whoever made it. */
import { defineProfile, type Profile, type ProfileSignal, plainSignals } from '../profile.ts'
import { gattCodec } from './characteristic.ts'

const battery: ProfileSignal = { signal: 'battery-level', unit: '%', keys: ['battery'] }

const health = (
  code: string,
  name: string,
  plain: string | undefined,
  signals: readonly (ProfileSignal | string)[],
): Profile =>
  defineProfile({
    code,
    name,
    classification: 'medical',
    formats: ['profile', 'json'],
    signals: [...signals.flatMap((each) => (typeof each === 'string' ? plainSignals([each]) : [each])), battery],
    decode: gattCodec(plain),
  })

export const bloodPressureProfile = health('ble-blood-pressure', 'Bluetooth blood pressure cuff', '2A35', [
  { signal: 'systolic', unit: 'mm[Hg]', keys: ['sys', 'sbp'] },
  { signal: 'diastolic', unit: 'mm[Hg]', keys: ['dia', 'dbp'] },
  { signal: 'mean-arterial-pressure', unit: 'mm[Hg]', keys: ['map', 'mean'] },
  { signal: 'pulse-rate', unit: '/min', keys: ['pulse', 'hr'] },
  'irregular-pulse',
  'cuff-pressure',
])

export const heartRateProfile = health('ble-heart-rate', 'Bluetooth heart rate sensor', '2A37', [
  { signal: 'heart-rate', unit: '/min', keys: ['hr', 'heartRate'] },
  { signal: 'rr-interval', unit: 'ms', keys: ['rr'] },
  'sensor-contact',
  'energy-expended',
])

const oximeterSignals: readonly (ProfileSignal | string)[] = [
  { signal: 'spo2', unit: '%', keys: ['SpO2', 'SPO2'] },
  { signal: 'pulse-rate', unit: '/min', keys: ['pulse', 'pr', 'hr'] },
  { signal: 'perfusion-index', unit: '%', keys: ['pi', 'perfusionIndex'] },
  'spo2-fast',
  'spo2-slow',
  'pulse-rate-fast',
  'pulse-rate-slow',
]

/** Two profiles, for the bytes do not say which of the two characteristics they are of. */
export const oximeterSpotProfile = health(
  'ble-pulse-oximeter-spot',
  'Bluetooth pulse oximeter, spot check',
  '2A5E',
  oximeterSignals,
)
export const oximeterProfile = health(
  'ble-pulse-oximeter',
  'Bluetooth pulse oximeter, continuous',
  '2A5F',
  oximeterSignals,
)

export const glucoseProfile = health('ble-glucose', 'Bluetooth glucose meter', '2A18', [
  { signal: 'glucose', unit: 'mg/dL', keys: ['bg'] },
  'glucose-interstitial',
  'glucose-control',
])

export const continuousGlucoseProfile = health('ble-cgm', 'Bluetooth continuous glucose monitor', '2AA7', [
  { signal: 'glucose-interstitial', unit: 'mg/dL', keys: ['glucose', 'sgv'] },
  'glucose-trend',
  'glucose-quality',
])

export const thermometerProfile = health('ble-thermometer', 'Bluetooth thermometer', '2A1C', [
  { signal: 'body-temperature', unit: 'Cel', keys: ['temperature', 'temp'] },
])

export const scaleProfile = health('ble-weight-scale', 'Bluetooth weight scale', '2A9D', [
  { signal: 'body-weight', unit: 'kg', keys: ['weight'] },
  { signal: 'bmi', unit: 'kg/m2' },
  { signal: 'body-height', unit: 'm', keys: ['height'] },
])

/** A gateway box that forwards whatever health characteristics its devices have: every frame names its characteristic. */
export const healthDeviceProfile = health('ble-health-device', 'Bluetooth health device behind a gateway', undefined, [
  'systolic',
  'diastolic',
  'mean-arterial-pressure',
  'cuff-pressure',
  'irregular-pulse',
  'pulse-rate',
  'heart-rate',
  'rr-interval',
  'sensor-contact',
  'energy-expended',
  'spo2',
  'spo2-fast',
  'spo2-slow',
  'pulse-rate-fast',
  'pulse-rate-slow',
  'perfusion-index',
  'glucose',
  'glucose-control',
  'glucose-interstitial',
  'glucose-trend',
  'glucose-quality',
  'body-temperature',
  'body-weight',
  'bmi',
  'body-height',
])
