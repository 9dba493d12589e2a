/** Small parts of FHIR that many views share. */
import { systems as derived } from '../derive/systems.ts'

export const iso = (ms: number): string => new Date(ms).toISOString()

export interface Coding {
  readonly system: string
  readonly code: string
  readonly display?: string
}

/** A concept of one coding, with words when they say more. */
export const concept = (coding: Coding, text?: string) => ({
  coding: [coding],
  ...(text === undefined ? {} : { text }),
})

export const period = (from: number, to: number | null) => ({
  start: iso(from),
  ...(to === null ? {} : { end: iso(to) }),
})

export const practitioner = (user: string) => ({ reference: `Practitioner/${user}` })
export const organisation = (tenant: string) => ({ reference: `Organization/${tenant}` })

const timeZoneUrl = 'http://hl7.org/fhir/StructureDefinition/timezone'
export const timeZoneExtension = (zone: string) => ({ url: timeZoneUrl, valueCode: zone })

/** The IANA zone that a resource says it is in. */
export function timeZoneOf(resource: { readonly [element: string]: unknown }): string | undefined {
  const extensions = Array.isArray(resource.extension) ? (resource.extension as readonly unknown[]) : []
  for (const each of extensions) {
    if (typeof each !== 'object' || each === null) continue
    const { url, valueCode } = each as { url?: unknown; valueCode?: unknown }
    if (url === timeZoneUrl && typeof valueCode === 'string') return valueCode
  }
  return undefined
}

/** Systems of our own. */
export const systems = {
  signal: derived.signal,
  frame: derived.frame,
  alert: 'urn:careloop:alert',
  rule: 'urn:careloop:rule',
  task: 'urn:careloop:task',
  staff: 'urn:careloop:staff',
  deviceName: 'urn:careloop:device-name',
  role: 'urn:careloop:role',
  program: 'urn:careloop:program',
  subjectKind: 'urn:careloop:subject-kind',
} as const
