/** Which signal a code of another system means. Data; pure. */
import { allSignals } from '@careloop/contract'
import { systems } from './systems.ts'

/** Codes that mean one of our signals and are not its own. Source: reference tables of LOINC and MDC. */
const others: Readonly<Record<string, string>> = {
  [`${systems.loinc}|8867-4`]: 'heart-rate',
  [`${systems.loinc}|2708-6`]: 'spo2',
  [`${systems.loinc}|15074-8`]: 'glucose',
  [`${systems.loinc}|41653-7`]: 'glucose',
  [`${systems.loinc}|14743-9`]: 'glucose',
  [`${systems.loinc}|3141-9`]: 'body-weight',
  [`${systems.mdc}|149546`]: 'pulse-rate',
  [`${systems.mdc}|150344`]: 'body-temperature',
  [`${systems.mdc}|150588`]: 'spo2',
}

/** A measured value has the code of its signal; a setting, a mean over a day or a panel has another, and is none of these. */
const known: ReadonlyMap<string, string> = new Map([
  ...allSignals.flatMap(({ code, loinc, mdc, kind }) =>
    kind !== 'vital'
      ? []
      : [
          [`${systems.signal}|${code}`, code] as const,
          ...(loinc === undefined ? [] : [[`${systems.loinc}|${loinc}`, code] as const]),
          ...(mdc === undefined ? [] : [[`${systems.mdc}|${mdc.code}`, code] as const]),
        ],
  ),
  ...Object.entries(others),
])

/**
 * Of a concept's codings. MDC tells a pulse of an oximeter from a heart rate where LOINC has one code for both, so it decides first.
 * @returns undefined when no coding is known
 */
export function signalOfConcept(concept: unknown): string | undefined {
  const codings = codingsOf(concept)
  for (const system of [systems.signal, systems.mdc, systems.loinc])
    for (const coding of codings) {
      const found = coding.system === system ? known.get(`${system}|${coding.code}`) : undefined
      if (found !== undefined) return found
    }
  return undefined
}

export interface LooseCoding {
  readonly system?: unknown
  readonly code?: unknown
}

export function codingsOf(concept: unknown): readonly LooseCoding[] {
  const coding = (concept as { readonly coding?: unknown } | null | undefined)?.coding
  return Array.isArray(coding) ? (coding as LooseCoding[]) : []
}
