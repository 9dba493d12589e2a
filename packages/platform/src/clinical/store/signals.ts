/** Which signals of the vocabulary a resource tells of: what consent and Part 2 labels ask. Pure. */
import { allSignals } from '@careloop/contract'
import type { Resource } from '@careloop/fhir'

const loinc = new Map<string, string[]>()
const mdc = new Map<string, string[]>()
for (const { code, ...signal } of allSignals) {
  if (signal.loinc !== undefined) loinc.set(signal.loinc, [...(loinc.get(signal.loinc) ?? []), code])
  if (signal.mdc !== undefined) mdc.set(String(signal.mdc.code), [...(mdc.get(String(signal.mdc.code)) ?? []), code])
}
/** The panel says what its components say. */
loinc.set(
  '85354-9',
  ['systolic', 'diastolic'].flatMap((word) => allSignals.filter(({ code }) => code === word)).map(({ code }) => code),
)
loinc.set('2708-6', loinc.get('59408-5') ?? [])

const systems: Readonly<Record<string, ReadonlyMap<string, readonly string[]>>> = {
  'http://loinc.org': loinc,
  'urn:iso:std:iso:11073:10101': mdc,
}

/** Empty: none that we know; such a thing is seen only by who may see everything. */
export function signalsOf(resource: Resource): string[] {
  if (resource.resourceType !== 'Observation') return []
  const concepts = [resource.code, ...listOf(resource.component).map((each) => memberOf(each, 'code'))]
  const codings = concepts.flatMap((concept) => listOf(memberOf(concept, 'coding')))
  return [
    ...new Set(
      codings.flatMap((coding) => {
        const [system, code] = [memberOf(coding, 'system'), memberOf(coding, 'code')]
        if (typeof system !== 'string' || typeof code !== 'string' || !Object.hasOwn(systems, system)) return []
        return systems[system]!.get(code) ?? []
      }),
    ),
  ]
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
