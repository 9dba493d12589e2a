/**
 * A view: things that another room owns, shown as FHIR. It lives in that room where it stands after this one, else here. What it
 * makes depends on the owner's rows alone, so that making it again gives the same bytes.
 */
import type { Fact, FactType } from '@careloop/contract'
import type { TenantTx } from '../../engine/index.ts'
import type { Clinical, Derived } from '../clinical.ts'

/** What stands of some things now: resources as they are, and those that are no more. */
export interface Made {
  readonly keep: readonly Derived[]
  readonly drop?: readonly Dropped[]
}

export interface Dropped {
  readonly type: string
  readonly id: string
  /** ms: since when it is no more. */
  readonly at: number
}

/** Reads the owner's rows in the transaction that writes what is made of them. Things that are not there make nothing. */
export type Build = (tx: TenantTx, ids: readonly string[]) => Promise<Made>

export interface View {
  /** Kebab-case, for ever: how far it was made of existing things is kept under it. */
  readonly name: string
  /** Types that it makes. */
  readonly types: readonly string[]
  readonly facts: readonly FactType[]
  /** Ids of the things that a fact tells of. */
  idsOf(fact: Fact): readonly string[] | Promise<readonly string[]>
  /** Ids of all things there are, in order, after one; empty = no more. */
  page(tenant: string, after: string | null, limit: number): Promise<readonly string[]>
  /** Things that changed in (since, until] and of which no fact tells. ms */
  changed?(tenant: string, since: number, until: number): Promise<readonly string[]>
  /** Before a transaction, which must not wait for another connection: what is read there (staff, names). */
  open(tenant: string, ids: readonly string[]): Promise<Build>
}

/** How others find the FHIR id of a subject. */
export type PatientIds = Pick<Clinical, 'patientIdOf'>

/** What views of later rooms ask of this one. */
export type ViewedThrough = Pick<Clinical, 'patientIdOf' | 'openAll'>

const typeOfKind = { patient: 'Patient', asset: 'Device', location: 'Location' } as const

/** A reference to the Patient, Device or Location that is this subject. */
export const subjectReference = async (
  clinical: PatientIds,
  tx: TenantTx,
  subject: { readonly id: string; readonly kind: keyof typeof typeOfKind },
): Promise<{ reference: string }> => ({
  reference: `${typeOfKind[subject.kind]}/${await clinical.patientIdOf(tx, subject.id)}`,
})
