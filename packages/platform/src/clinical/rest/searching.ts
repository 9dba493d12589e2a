/** What REST asks of the search: a page for a person, and the matches of a condition. clinical/search gives it. */
import type { FhirTree, Pair } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import type { By } from '../../subjects/index.ts'
import type { Granted } from '../rights.ts'
import type { Stored } from '../stored.ts'

export interface SearchAsked {
  readonly by: By
  readonly type: string
  /** Of the query and of the form, unescaped once. */
  readonly pairs: readonly Pair[]
  /** `Patient/1/Observation`: only what lies there. */
  readonly compartment?: { readonly type: string; readonly id: string }
  /** `https://host/fhir/R4`, without a slash at the end. */
  readonly base: string
  /** `Prefer: handling=strict` */
  readonly isStrict: boolean
}

export interface Searching {
  /** A searchset Bundle, audited in its transaction. @throws SearchError, Failure `type-not-yours` */
  search(asked: SearchAsked): Promise<FhirTree>
  /** The same over the types that `_type` names, or all. */
  system(asked: Omit<SearchAsked, 'type' | 'compartment'>): Promise<FhirTree>
  /**
   * Up to `limit` resources that somebody may change and that fulfil a condition, in the caller's transaction.
   * @throws SearchError for a parameter that is not known: a condition is never taken for less than it says
   */
  find(tx: TenantTx, granted: Granted, pairs: readonly Pair[], limit: number): Promise<readonly Stored[]>
}
