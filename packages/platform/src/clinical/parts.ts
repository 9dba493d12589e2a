/** What the clinical room is made of, as `app` hands it over. */
import type { FhirTree, Issue, Resource } from '@careloop/fhir'
import type { TenantTx } from '../engine/index.ts'
import type { By, Consents } from '../subjects/index.ts'
import type { Stored } from './stored.ts'

/** Whether a resource fulfils search parameters of its type; what is not understood is not fulfilled. */
export type ResourceMatch = (resource: Resource, params: readonly (readonly [name: string, value: string])[]) => boolean

/** A resource that is a view of a subject or of a device, on its way to the room that owns it. */
export interface Taking {
  readonly tree: FhirTree
  readonly resource: Resource
  readonly id: string
  /** What stands; null = it is new. */
  readonly before: Stored | null
}

/**
 * Hands a Patient, Location or Device to its room, in the transaction of the write.
 * @returns whose it is; null = it is nothing of ours, and kept as it came
 * @throws the room's Failures
 */
export type TakeIn = (tx: TenantTx, by: By, taking: Taking) => Promise<{ readonly subject: string | null } | null>

export interface ClinicalParts {
  readonly consents: Consents
  /** Takes in what is a view of another room. */
  readonly takeIn: TakeIn
  /** Where we are reached: references below it are our own. */
  readonly base?: string | undefined
  readonly validate: (resource: Resource) => readonly Issue[]
  readonly matches: ResourceMatch
}
