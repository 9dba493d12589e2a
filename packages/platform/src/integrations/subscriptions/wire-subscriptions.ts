/** Subscriptions from what the rooms before have; `app` says where we are reached and which networks may be called. */
import { type Clinical, grantFor } from '../../clinical/index.ts'
import { type Engine, makeGuardedFetch, type OutboundPolicy } from '../../engine/index.ts'
import { standingPrincipal } from '../../identity/index.ts'
import { type Consents, withReach } from '../../subjects/index.ts'
import { makeFiltering } from './filters.ts'
import { knowingOf } from './knowing.ts'
import type { SubscriptionParts } from './parts.ts'

export interface SubscriptionWiring {
  readonly engine: Engine
  readonly clinical: Pick<Clinical, 'openAll' | 'ridOf' | 'keepDerived'>
  readonly consents: Consents
  readonly outbound: OutboundPolicy
  readonly base: string
  /** @see SubscriptionParts */
  readonly horizon: () => Promise<string | null>
}

export function wireSubscriptions(wiring: SubscriptionWiring): SubscriptionParts {
  const { engine, clinical, consents, outbound, base, horizon } = wiring
  return {
    ...{ engine, clinical, consents, base, horizon },
    ...makeFiltering(() => engine.clock.now(), base),
    fetch: makeGuardedFetch(outbound),
    knowing: (by) => knowingOf(consents, by),
    assertMayRead: (by, type) => void grantFor(by, type, 'r'),
    async owner(tenant, actor, app) {
      const standing = await standingPrincipal(engine, { tenant, actor, app })
      return standing === null ? null : withReach(engine, standing)
    },
  }
}
