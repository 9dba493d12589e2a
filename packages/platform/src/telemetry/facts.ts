/** Facts that this room publishes, in the transaction of the change. Bodies: contract's `FactBodies`; in words: docs/facts.md. */
import type { FactType } from '@careloop/contract'

export const telemetryFacts = ['SeriesMoved', 'GapChanged'] as const satisfies readonly FactType[]
