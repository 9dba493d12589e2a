/**
 * The profile of a device that says JSON or SenML with keys we know: `{"hr": 72, "SpO2": 97}`. Keys are exact; a key that could
 * mean two things stands for neither (`pressure` is blood or air, `rr` a rate or an interval) and is quarantined as `unknown-signal`
 * until the device gets a profile of its own. A bare `temperature` is the air's here and the body's in `generic-wearable`.
 */
import { allSignals } from '@careloop/contract'
import { defineProfile, type ProfileSignal } from './profile.ts'

/** Other keys that devices in the field use, beside each signal's own code. Units are those of the vocabulary. */
const keys: Readonly<Record<string, readonly string[]>> = {
  'heart-rate': ['hr', 'HR', 'heartRate', 'heart_rate', 'heartrate', 'HeartRate'],
  'pulse-rate': ['pulse', 'pr', 'PR', 'pulseRate', 'pulse_rate', 'pulserate'],
  spo2: ['SpO2', 'SPO2', 'spO2', 'Spo2', 'oxygenSaturation', 'oxygen_saturation'],
  'perfusion-index': ['pi', 'PI', 'perfusionIndex', 'perfusion_index'],
  systolic: ['sys', 'SYS', 'sbp', 'SBP', 'systolicPressure', 'systolic_pressure', 'bp_systolic', 'bpSystolic'],
  diastolic: ['dia', 'DIA', 'dbp', 'DBP', 'diastolicPressure', 'diastolic_pressure', 'bp_diastolic', 'bpDiastolic'],
  'mean-arterial-pressure': ['map', 'MAP', 'meanArterialPressure', 'mean_arterial_pressure'],
  'body-temperature': ['bodyTemperature', 'body_temperature', 'bodyTemp', 'body_temp'],
  'skin-temperature': ['skinTemperature', 'skin_temperature', 'skinTemp', 'skin_temp'],
  'body-weight': ['weight', 'bodyWeight', 'body_weight'],
  'body-height': ['bodyHeight', 'body_height'],
  bmi: ['BMI'],
  'body-fat': ['bodyFat', 'body_fat'],
  glucose: ['bg', 'BG', 'bloodGlucose', 'blood_glucose'],
  'glucose-interstitial': ['cgm', 'sgv', 'interstitialGlucose', 'interstitial_glucose'],
  'respiratory-rate': ['resp', 'respiratoryRate', 'respiratory_rate', 'respRate', 'resp_rate'],
  'rr-interval': ['rrInterval', 'rr_interval', 'ibi', 'IBI'],
  'hrv-sdnn': ['sdnn', 'SDNN'],
  'hrv-rmssd': ['rmssd', 'RMSSD'],
  steps: ['stepCount', 'step_count'],
  'skin-conductance': ['eda', 'EDA', 'gsr', 'GSR'],
  'blood-volume-pulse': ['bvp', 'BVP'],
  'peak-expiratory-flow': ['pef', 'PEF', 'peakFlow', 'peak_flow'],
  'temperature-ambient': ['temperature', 'Temperature', 'temp', 'ambientTemperature', 'roomTemperature', 'TempC_SHT'],
  'temperature-probe': ['probeTemperature', 'probe_temperature', 'probe', 'fridgeTemperature', 'TempC_DS'],
  'dew-point': ['dewPoint', 'dewpoint', 'dew_point'],
  humidity: ['Humidity', 'hum', 'rh', 'RH', 'relativeHumidity', 'relative_humidity', 'Hum_SHT'],
  'pressure-air': ['airPressure', 'air_pressure', 'barometer', 'barometricPressure'],
  co2: ['CO2', 'eco2', 'carbonDioxide', 'carbon_dioxide'],
  voc: ['tvoc', 'TVOC', 'VOC'],
  'pm2-5': ['pm25', 'PM25', 'pm2_5', 'pm2.5', 'PM2.5'],
  pm10: ['PM10', 'pm10_0'],
  pm1: ['pm1_0', 'pm1.0'],
  illuminance: ['lux', 'luminance', 'ILL_lx'],
  'sound-level': ['noise', 'soundLevel', 'sound_level'],
  moisture: ['soilMoisture', 'soil_moisture'],
  'acceleration-x': ['accX', 'acc_x', 'accelerationX', 'acceleration_x'],
  'acceleration-y': ['accY', 'acc_y', 'accelerationY', 'acceleration_y'],
  'acceleration-z': ['accZ', 'acc_z', 'accelerationZ', 'acceleration_z'],
  'door-open': ['door', 'doorOpen', 'door_open', 'contactOpen'],
  'window-open': ['windowOpen', 'window_open'],
  motion: ['pir', 'PIR'],
  occupancy: ['occupied'],
  leak: ['waterLeak', 'water_leak'],
  'battery-level': ['battery', 'batt', 'batteryLevel', 'battery_level', 'batteryPercent'],
  'battery-voltage': ['batteryVoltage', 'battery_voltage', 'vbat', 'BatV'],
  'signal-strength': ['rssi', 'RSSI'],
  'signal-to-noise': ['snr', 'SNR'],
}

const signalsWith = (table: Readonly<Record<string, readonly string[]>>): readonly ProfileSignal[] =>
  allSignals.map(({ code, unit }) => ({ signal: code, unit, keys: table[code] ?? [] }))

export const genericProfile = defineProfile({
  code: 'generic',
  name: 'Any device that sends JSON or SenML',
  classification: 'wellness',
  formats: ['json', 'senml'],
  signals: signalsWith(keys),
})

const TEMPERATURE = ['temperature', 'Temperature', 'temp']

/** What a person wears: a bare `temperature` is the body's. */
export const genericWearableProfile = defineProfile({
  code: 'generic-wearable',
  name: 'A wearable that sends JSON or SenML',
  classification: 'wellness',
  formats: ['json', 'senml'],
  signals: signalsWith({
    ...keys,
    'temperature-ambient': keys['temperature-ambient']!.filter((key) => !TEMPERATURE.includes(key)),
    'body-temperature': [...keys['body-temperature']!, ...TEMPERATURE],
  }),
})

/** Signals that the table above names and the vocabulary does not have; a test wants none. */
export const strayKeys: readonly string[] = Object.keys(keys).filter(
  (code) => !allSignals.some((each) => each.code === code),
)
