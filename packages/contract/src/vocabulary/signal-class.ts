/**
 * Signal classes: in what groups a person shares what is measured of them. A consent names classes, never single signals, so that a
 * new device needs no new signature and a form fits one page.
 */
import { signal } from './lookup.ts'

export const signalClasses = [
  'vital-signs',
  'glucose',
  'body-measures',
  'activity',
  'behavioural',
  'location',
  'medication',
  'environment',
  'device',
] as const
export type SignalClass = (typeof signalClasses)[number]

/** Vitals that are not in the class `vital-signs`. */
const vitals: Readonly<Record<string, SignalClass>> = {
  glucose: 'glucose',
  'glucose-interstitial': 'glucose',
  'glucose-control': 'glucose',
  'glucose-trend': 'glucose',
  'glucose-quality': 'glucose',
  'body-weight': 'body-measures',
  'body-height': 'body-measures',
  bmi: 'body-measures',
  'body-fat': 'body-measures',
  steps: 'activity',
  'energy-expended': 'activity',
  // Stress, sleep and craving are inferred from these: they tell of behaviour before they tell of the heart.
  'skin-conductance': 'behavioural',
  'blood-volume-pulse': 'behavioural',
  'hrv-sdnn': 'behavioural',
  'hrv-rmssd': 'behavioural',
  'rr-interval': 'behavioural',
  'sensor-contact': 'device',
}

/** What a sensor of a room tells of whoever lives there. */
const ofWhoLivesThere: Readonly<Record<string, SignalClass>> = {
  occupancy: 'location',
  presence: 'location',
  motion: 'behavioural',
  moving: 'behavioural',
  activity: 'behavioural',
  'movement-counter': 'behavioural',
  sound: 'behavioural',
  'door-open': 'behavioural',
  unlocked: 'behavioural',
}

/** Null for a code that no vocabulary knows: only who may see everything sees it. */
export function signalClassOf(code: string): SignalClass | null {
  const known = signal(code)
  if (known === undefined) return null
  if (known.kind === 'device') return 'device'
  const table = known.kind === 'vital' ? vitals : ofWhoLivesThere
  // A second sensor of a kind is of the class of the first.
  const found = table[code] ?? table[code.replace(/-\d+$/, '')]
  return found ?? (known.kind === 'vital' ? 'vital-signs' : 'environment')
}
