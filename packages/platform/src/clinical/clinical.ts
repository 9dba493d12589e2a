/** The clinical room as `app`, its own routes and later rooms hold it. */
import type { FhirTree, Resource } from '@careloop/fhir'
import type { TenantTx } from '../engine/index.ts'
import type { By } from '../subjects/index.ts'
import type { Stored } from './stored.ts'

/** A view of another room's rows, as that room's consumer makes it. */
export interface Derived {
  /** With its id; `meta.versionId` and `meta.lastUpdated` are set by the store. The order of its members is kept. */
  readonly resource: Resource
  /** Our subject in whose compartment it lies; null = of none. */
  readonly subject: string | null
  /** Codes of the vocabulary that it tells of, for consent. */
  readonly signals?: readonly string[]
  /** Code of the program that it was inferred by, for consent. */
  readonly program?: string
  /** It is a client's own, of which the server says something (the status of a Subscription): clients go on changing it. */
  readonly isClients?: true
  /** `meta.lastUpdated` in ms: of what it was derived from, so that a rebuild gives the same bytes. */
  readonly at: number
}

/** What must stand for a change to be made. */
export interface Expected {
  /** If-Match: the version that was read. */
  readonly version?: number
  /** If-None-Match: * -- only when there is none yet. */
  readonly isNew?: boolean
}

export interface Written {
  readonly stored: Stored
  /** False: there was one before. */
  readonly isNew: boolean
  /** False: the same as before, no new version was made. */
  readonly isChanged: boolean
}

/** A page of versions, newest first. */
export interface HistoryQuestion {
  /** Left out: of all types. */
  readonly type?: string
  readonly id?: string
  /** ms; only versions at or after it. */
  readonly since?: number
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: string
}

export interface HistoryPage {
  readonly items: readonly Stored[]
  readonly next: string | null
}

/**
 * The record as FHIR. Every call is audited in its transaction and held to what `by` may: rights of the type, sight of the subject,
 * the patient's consent, and the scopes of the app. What somebody may not know of fails as what does not exist (`resource-not-found`).
 */
export interface Clinical {
  /** @throws Failure `resource-not-found`, `resource-gone` */
  read(by: By, type: string, id: string): Promise<Stored>
  vread(by: By, type: string, id: string, version: number): Promise<Stored>
  history(by: By, question: HistoryQuestion): Promise<HistoryPage>
  /** Under an id of ours. @throws Failure `resource-invalid` with all issues, `patient-unknown` */
  create(by: By, tree: FhirTree): Promise<Written>
  /** Under the id in the tree, made when there is none. @throws Failure `version-moved`, `version-stale`, `resource-derived` */
  update(by: By, tree: FhirTree, expected?: Expected): Promise<Written>
  /** @param change makes the next tree of the one that stands, under its lock */
  patch(by: By, type: string, id: string, change: (tree: FhirTree) => FhirTree, expected?: Expected): Promise<Written>
  /** Nothing happens where there is none. @returns the version that says it is gone; null when there was none */
  remove(by: By, type: string, id: string, expected?: Expected): Promise<Stored | null>
  /**
   * Several in the transaction of the caller; not audited, no rights asked: for consumers of facts.
   * @param areNew they are hardly ever there already: written first, and compared only where something stands
   */
  keepDerived(tx: TenantTx, derived: readonly Derived[], areNew?: boolean): Promise<void>
  dropDerived(tx: TenantTx, type: string, id: string, at: number): Promise<void>
  /** The rows of these rids, opened; those that are gone are absent. No rights asked, not audited: the caller does both. */
  openAll(tx: TenantTx, rids: readonly string[]): Promise<ReadonlyMap<string, Stored>>
  /** Opaque id of `type/id` in this organisation. */
  ridOf(tenant: string, type: string, id: string): Promise<string>
  /** FHIR id of the Patient, Location or Device that is this subject. */
  patientIdOf(tx: TenantTx, subject: string): Promise<string>
  /** The subject behind `Patient/<id>`; null when there is none. */
  subjectOfPatient(tx: TenantTx, id: string): Promise<string | null>
}
