/** Whether a resource names a person by reference or identifier, and what is left of it without them. */
import { type FhirObject, type FhirTree, type FhirValue, isList, isObject } from '@careloop/fhir'

/** The person, as resources name them. */
export interface Named {
  /** The subject's id: whoever writes it means them. */
  readonly uuid: string
  /** Whether `Patient/1`, or a RelatedPerson, is theirs. */
  isTheirs(type: string, id: string): boolean
  readonly identifiers: readonly { readonly system?: string; readonly value: string }[]
}

const references = /\b(Patient|RelatedPerson)(?:\/|\?_id=)([A-Za-z0-9\-.]{1,64})/g

/** Of a text as it is stored. What says a name in words alone is not told. */
export function namesPerson(text: string, named: Named): boolean {
  if (text.includes(named.uuid)) return true
  for (const [, type, id] of text.matchAll(references)) if (named.isTheirs(type!, id!)) return true
  // A resource within a Bundle names itself by its id.
  const isSuspect =
    /"resourceType":"(Patient|RelatedPerson)"/.test(text) ||
    named.identifiers.some(({ value }) => text.includes(JSON.stringify(value)))
  return isSuspect && isNamedIn(JSON.parse(text) as FhirValue, named)
}

function isNamedIn(value: FhirValue | undefined, named: Named): boolean {
  if (isList(value)) return value.some((each) => isNamedIn(each, named))
  if (!isObject(value)) return false
  return isThem(value, named) || Object.values(value).some((each) => isNamedIn(each, named))
}

function isThem({ resourceType, id, system, value }: FhirObject, { isTheirs, identifiers }: Named): boolean {
  if (typeof resourceType === 'string' && typeof id === 'string' && isTheirs(resourceType, id)) return true
  return identifiers.some((known) => known.value === value && known.system === system)
}

/** A Reference of which only is said that it was taken out. */
const takenOut: FhirObject = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }],
}

/** Members who are them are left out, other references to them say nothing any more; the narrative was made of both. */
export function withoutPerson(tree: FhirTree, named: Named): FhirTree {
  const { text: _, ...rest } = tree
  const { member } = rest
  const kept =
    tree.resourceType === 'Group' && isList(member)
      ? { ...rest, member: member.filter((each) => !namesPerson(JSON.stringify(each), named)) }
      : rest
  const { member: left, ...others } = kept as FhirObject
  const isEmptied = isList(left) && left.length === 0
  return masked(isEmptied ? others : (kept as FhirObject), named) as FhirTree
}

function masked(value: FhirValue, named: Named): FhirValue {
  if (isList(value)) return value.map((each) => masked(each, named))
  if (!isObject(value)) return value
  const isReference = typeof value.reference === 'string' || isObject(value.identifier)
  if (isReference && value.resourceType === undefined && namesPerson(JSON.stringify(value), named)) return takenOut
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, each === undefined ? each : masked(each, named)]),
  ) as FhirObject
}
