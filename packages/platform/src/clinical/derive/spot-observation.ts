/** One reading as an Observation. Pure: the same reading gives the same resource. */
import { signal } from '@careloop/contract'
import type { Derived } from '../clinical.ts'
import { categoryOf, conceptOf, profilesOf } from './concepts.ts'
import { identifiersOf, idOf } from './derived-id.ts'
import { dateTimeIn } from './local-time.ts'
import { interpretationConcept, interpretationOf, rangeElement, usualRange } from './reference-range.ts'
import { extensions } from './systems.ts'
import { sourceElements, type Told, zoneOf } from './told.ts'
import { quantityOf, valueElements } from './values.ts'

/** By what a reading is itself: never by the value alone, and never without it. A second value at one place stands beside the first. */
export const spotIdOf = ({ whose, source, reading }: Told): string =>
  idOf(
    ...['spot', whose.tenant, whose.subject, source.device, reading.signal],
    ...[reading.measuredAt, reading.ordinal, JSON.stringify(reading.value)],
  )

/** @returns undefined for a signal that no vocabulary knows any more */
export function spotObservation(told: Told): Derived | undefined {
  const { whose, source, reading, storedAt } = told
  const row = signal(reading.signal)
  if (row === undefined) return undefined
  const isByCuff = reading.groupId !== undefined
  const profiles = row.meanings === undefined && whose.kind === 'patient' ? profilesOf(row.loinc) : []
  const id = spotIdOf(told)
  const resource = {
    resourceType: 'Observation',
    id,
    ...(profiles.length === 0 ? {} : { meta: { profile: profiles } }),
    ...extensionsOf(told),
    identifier: identifiersOf(id),
    status: 'final',
    category: categoryOf(row.code, isPersonal(told)),
    code: conceptOf(row, isByCuff),
    subject: { reference: whose.reference },
    effectiveDateTime: dateTimeIn(zoneOf(whose, reading.measuredAt), reading.measuredAt),
    ...sourceElements(source),
    ...valueElements(row, reading),
    ...judged(told),
    ...notesOf(told),
  }
  return { resource: withoutEmpty(resource), subject: whose.subject, signals: [row.code], at: storedAt }
}

/** A person's own device that measured by itself. */
export const isPersonal = ({ whose, source }: Pick<Told, 'whose' | 'source'>): boolean =>
  whose.kind === 'patient' && source.origin === 'automatic'

/** What it means where a range is known, and the range. A value that cannot be is not judged. */
export function judged({ whose, reading }: Pick<Told, 'whose' | 'reading'>): object {
  const row = signal(reading.signal)
  if (row === undefined || row.meanings !== undefined || reading.flags?.includes('implausible')) return {}
  const range = usualRange(row.code, whose.birthDate, reading.measuredAt)
  const code = interpretationOf(reading.value, range)
  return {
    ...(code === null ? {} : { interpretation: [interpretationConcept(code)] }),
    ...(range === null ? {} : { referenceRange: [rangeElement(range, quantityOf(row))] }),
  }
}

/** The device's own clock, where it was corrected, and the flags of the reading. */
export function extensionsOf({ whose, reading }: Pick<Told, 'whose' | 'reading'>): object {
  const { deviceTime, deviceLocal, measuredAt, flags = [] } = reading
  const isCorrected = deviceTime !== undefined && deviceTime !== measuredAt
  const raw = deviceLocal !== undefined && isCorrected ? { valueString: deviceLocal } : undefined
  const instant = isCorrected ? { valueDateTime: dateTimeIn(zoneOf(whose, deviceTime), deviceTime) } : undefined
  const said = raw ?? instant
  const extension = [
    ...(said === undefined ? [] : [{ url: extensions.deviceTime, ...said }]),
    ...flags.map((flag) => ({ url: extensions.readingFlag, valueCode: flag })),
  ]
  return extension.length === 0 ? {} : { extension }
}

const words = {
  'clock-in-future': 'The clock of the device ran ahead; the time is when its message was received.',
  'clock-unset': 'The clock of the device was not set; the time is when its message was received.',
  implausible: 'The value lies outside of what is plausible; it was kept on purpose and is used by no rule.',
  historic: 'It was stored more than 15 minutes after it was measured.',
} as const

export function notesOf({ reading }: Pick<Told, 'reading'>): object {
  const { deviceTime, measuredAt, flags = [] } = reading
  const texts: string[] = flags.map((flag) => words[flag])
  if (flags.length === 0 && deviceTime !== undefined && deviceTime !== measuredAt)
    texts.push('The clock of the device was corrected.')
  return texts.length === 0 ? {} : { note: texts.map((text) => ({ text })) }
}

export const withoutEmpty = <T extends { category: readonly object[] }>(resource: T): T => {
  if (resource.category.length > 0) return resource
  const { category: _, ...rest } = resource
  return rest as T
}
