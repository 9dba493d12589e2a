/** Facts that this room publishes. Bodies: contract's `FactBodies`; in words: docs/facts.md. */
import type { FactType } from '@careloop/contract'

export const integrationsFacts = ['DeliveryFailed', 'SubscriptionFailed'] as const satisfies readonly FactType[]
