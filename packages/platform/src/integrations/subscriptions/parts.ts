/** What subscriptions stand on; `app` hands it in. */
import type { Clinical, Stored } from '../../clinical/index.ts'
import type { Engine, GuardedFetch, TenantTx } from '../../engine/index.ts'
import type { AppGrant, PersonOrService } from '../../identity/index.ts'
import type { By, Consents } from '../../subjects/index.ts'
import type { Filter } from './read-subscription.ts'

/** One resource that somebody may know of, and what goes with it. */
export interface Known {
  readonly stored: Stored
  /** It leaves the organisation. */
  readonly isOutside: boolean
  /** Which consent let it out; null = none was needed. */
  readonly consent: string | null
  /** 42 CFR Part 2 wants its notice beside it. */
  readonly isNoticed: boolean
}

/** Asks for one owner, as it stands in each transaction. */
export interface Knowing {
  /** Those that the owner may read, in their order; the others are not there for them. */
  known(tx: TenantTx, stored: readonly Stored[]): Promise<readonly Known[]>
}

export interface SubscriptionParts {
  readonly engine: Engine
  readonly clinical: Pick<Clinical, 'openAll' | 'ridOf' | 'keepDerived'>
  readonly consents: Pick<Consents, 'disclose'>
  /** Whoever subscribed, as they are now; null when they are gone, or the app is. */
  readonly owner: (tenant: string, actor: string, app: AppGrant | undefined) => Promise<PersonOrService | null>
  /** Opened before a transaction. */
  readonly knowing: (by: By) => Promise<Knowing>
  /** @throws Failure when whoever asks may not read resources of this type */
  readonly assertMayRead: (by: By, type: string) => void
  /** Whether the resource meets the filter; what it cannot know, it does not meet. */
  readonly meets: (stored: Stored, filter: Filter) => boolean
  /** @throws Failure when a filter asks by what cannot be asked */
  readonly assertFilter: (filter: Filter) => void
  /** Position of facts up to which resources show what the facts told; null = all. */
  readonly horizon: () => Promise<string | null>
  readonly fetch: GuardedFetch
  /** `https://host/fhir/R4`. */
  readonly base: string
  /** For tests: dies there. */
  readonly fault?: (moment: 'begun' | 'composed' | 'taken') => void | Promise<void>
}
