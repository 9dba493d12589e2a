/** Signals of the device itself: whether it will still be there tomorrow. */
import { HOUR, signalsOf, state } from './signal.ts'

export const deviceSignals = signalsOf('device', [
  {
    code: 'battery-level',
    label: 'Battery',
    unit: '%',
    dimension: 'ratio',
    plausible: [0, 100],
    every: 6 * HOUR,
    mdc: [67996, 'MDC_ATTR_VAL_BATT_CHARGE'],
  },
  {
    code: 'battery-voltage',
    label: 'Battery voltage',
    unit: 'V',
    dimension: 'voltage',
    plausible: [0.5, 60],
    every: 6 * HOUR,
    decimals: 3,
  },
  state('battery-low', 'Battery low', 'normal', 'low'),
  state('battery-charging', 'Battery charging', 'not charging', 'charging'),
  {
    code: 'signal-strength',
    label: 'Radio signal strength',
    unit: '{dBm}',
    dimension: 'signalPower',
    plausible: [-160, 30],
  },
  {
    code: 'signal-to-noise',
    label: 'Radio signal to noise',
    unit: 'dB',
    dimension: 'decibel',
    plausible: [-40, 60],
    decimals: 1,
  },
  state('connectivity', 'Connection', 'disconnected', 'connected'),
  state('problem', 'Problem', 'ok', 'problem'),
  state('tamper', 'Tamper', 'ok', 'tampered'),
])
