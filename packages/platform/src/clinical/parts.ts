/** What the clinical room is made of, as `app` hands it over. */
import type { FhirTree, Resource } from '@careloop/fhir'
import type { TenantTx } from '../engine/index.ts'
import type { By, Consents } from '../subjects/index.ts'
import type { Stored } from './stored.ts'

/** A resource that is a view of a subject or of a device, or that a later room acts on, on its way to that room. */
export interface Taking {
  readonly tree: FhirTree
  readonly resource: Resource
  readonly id: string
  /** What stands; null = it is new. */
  readonly before: Stored | null
}

/** Whose it is, and what is kept in place of what came (without secrets, with what the server says). */
export interface Taken {
  readonly subject: string | null
  readonly tree?: FhirTree
  /** Its room keeps it from now on, and shows it by a view: what this write leaves behind is that view already. */
  readonly isView?: boolean
}

/**
 * Hands a Patient, Location, Device or Subscription to its room, in the transaction of the write. Others may share that transaction:
 * what it fails by, it fails by before it writes.
 * @returns null = it is nothing of ours, and kept as it came
 * @throws the room's Failures
 */
export type TakeIn = (tx: TenantTx, by: By, taking: Taking) => Promise<Taken | null>

export interface ClinicalParts {
  readonly consents: Consents
  /** Takes in what is a view of another room. */
  readonly takeIn: TakeIn
  /** Where we are reached: references below it are our own. */
  readonly base?: string | undefined
  /** Pages and API are reached by TLS: what we call ourselves where `base` says nothing. */
  readonly isOverTls?: boolean
}
