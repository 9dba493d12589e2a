/** Facts that this room publishes. Bodies: contract's `FactBodies`; in words: docs/facts.md. */
import type { FactType } from '@careloop/contract'

export const clinicalFacts = ['ClinicalChanged', 'ReadingOutOfRange'] as const satisfies readonly FactType[]
