/**
 * What kind of device it is, by what its profile measures: codes of ISO/IEEE 11073-10101 (device specialisations of personal health
 * devices) and SNOMED CT.
 */
import type { Coding } from './words.ts'

const mdc = (code: string, display: string): Coding => ({ system: 'urn:iso:std:iso:11073:10101', code, display })
const snomed = (code: string, display: string): Coding => ({ system: 'http://snomed.info/sct', code, display })

/** In the order in which a device that measures several of them is named. */
const kinds: readonly (readonly [signal: string, codings: readonly Coding[]])[] = [
  ['glucose-interstitial', [mdc('528409', 'MDC_DEV_SPEC_PROFILE_CGM')]],
  ['glucose', [mdc('528401', 'MDC_DEV_SPEC_PROFILE_GLUCOSE'), snomed('337414009', 'Blood glucose meter')]],
  ['systolic', [mdc('528391', 'MDC_DEV_SPEC_PROFILE_BP'), snomed('70665002', 'Blood pressure cuff')]],
  ['spo2', [mdc('528388', 'MDC_DEV_SPEC_PROFILE_PULS_OXIM'), snomed('448703006', 'Pulse oximeter')]],
  ['body-weight', [mdc('528399', 'MDC_DEV_SPEC_PROFILE_SCALE'), snomed('19892000', 'Scale')]],
  ['body-temperature', [mdc('528392', 'MDC_DEV_SPEC_PROFILE_TEMP'), snomed('86184003', 'Electronic thermometer')]],
]

/** Empty where no code says it. */
export const deviceCodings = (signals: readonly string[]): readonly Coding[] =>
  kinds.find(([signal]) => signals.includes(signal))?.[1] ?? []
