/** Profiles of sensors that advertise by Bluetooth and are heard through a gateway. */
import { defineProfile, plainSignals } from '../profile.ts'
import { decodeBtHome } from './bthome.ts'
import { btHomeSignals } from './bthome-objects.ts'
import { decodeRuuvi } from './ruuvi.ts'

export const ruuviProfile = defineProfile({
  code: 'ruuvi',
  name: 'RuuviTag and Ruuvi Air',
  manufacturer: 'Ruuvi Innovations',
  classification: 'operational',
  formats: ['profile'],
  signals: plainSignals([
    'temperature-ambient',
    'humidity',
    'pressure-air',
    'acceleration-x',
    'acceleration-y',
    'acceleration-z',
    'acceleration',
    'movement-counter',
    'battery-voltage',
    'pm1',
    'pm2-5',
    'pm4',
    'pm10',
    'co2',
    'voc-index',
    'nox-index',
    'illuminance',
    'signal-strength',
  ]),
  decode: decodeRuuvi,
})

export const btHomeProfile = defineProfile({
  code: 'bthome',
  name: 'BTHome sensor, versions 1 and 2',
  classification: 'operational',
  formats: ['profile'],
  signals: plainSignals(btHomeSignals),
  decode: decodeBtHome,
})
